/**
 * Pictures that a phone takes, as small as the service takes them: nothing of the file but what is seen.
 * @module
 */

export const MOST_BYTES = 512 * 1024;
const SIDES_PX = [1_600, 1_200, 900, 640], QUALITY = 0.8;

/**
 * A photo as JPEG, upright, without where it was taken.
 * @param {Blob} file
 * @param {number} [most] bytes
 * @param {number[]} [sides]
 * @returns {Promise<Blob>}
 */
export async function photo(file, most = MOST_BYTES, sides = SIDES_PX) {
  const picture = await createImageBitmap(file);
  for (const side of sides) {
    const made = await drawn(picture, side);
    if (made.size <= most) return made;
  }
  throw new Error("the picture stays too large");
}

/** @param {ImageBitmap} picture @param {number} side @returns {Promise<Blob>} */
function drawn(picture, side) {
  const scale = Math.min(1, side / Math.max(picture.width, picture.height)), canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return blob(canvas, "image/jpeg");
}

/** @param {HTMLCanvasElement} canvas @param {string} media @returns {Promise<Blob>} */
export function blob(canvas, media) {
  return new Promise((resolve, reject) => {
    canvas.toBlob((made) => made ? resolve(made) : reject(new Error("no picture")), media, QUALITY);
  });
}
