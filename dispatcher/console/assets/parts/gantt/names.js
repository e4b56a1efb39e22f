/**
 * A name where there is little room: its middle gives way, for names of vendors differ at their ends.
 * @module
 */

/**
 * The name, or as much of both its ends as there is room for.
 * @param {string} name
 * @param {number} room
 * @param {(text: string) => number} wide how wide a text is, in what `room` is in
 */
export function fitted(name, room, wide) {
  if (wide(name) <= room) return name;
  for (let left = name.length - 1; left > 1; left--) {
    const tail = Math.ceil(left / 2), says = `${name.slice(0, left - tail)}…${name.slice(-tail)}`;
    if (wide(says) <= room) return says;
  }
  return `…${name.slice(-1)}`;
}
