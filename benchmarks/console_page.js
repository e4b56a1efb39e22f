// Run in every document before the page's own scripts: when it showed something of use, and what keys took.
(() => {
  const channel = new MessageChannel();
  const waiting = [];
  channel.port1.onmessage = () => waiting.splice(0).forEach((tell) => tell(performance.now()));
  const painted = (tell) =>
    requestAnimationFrame(() => { // a message is taken once the frame is out
      waiting.push(tell);
      channel.port2.postMessage(0);
    });
  const bench = globalThis.bench = { paintedAt: 0, drewAt: 0, keys: [], frames: [], painted };
  for (const name of ["putImageData", "drawImage", "fillRect", "fill", "stroke"]) {
    const draw = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...words) {
      bench.drewAt = performance.now();
      return draw.apply(this, words);
    };
  }
  bench.isData = (name) => /\/ANSWER(\?|$)/.test(name);
  // a canvas is of use once something was drawn after its data had come
  const gotAt = () =>
    Math.max(
      ...performance.getEntriesByType("resource")
        .filter((each) => bench.isData(each.name))
        .map((each) => each.responseEnd),
    );
  const isOfUse = (found) =>
    found && (found.tagName !== "CANVAS" || (gotAt() > 0 && bench.drewAt > gotAt()));
  const look = () => {
    if (isOfUse(document.querySelector("SELECTOR"))) painted((at) => bench.paintedAt = at);
    else requestAnimationFrame(look);
  };
  look();
  addEventListener("keydown", (event) => {
    const at = event.timeStamp;
    painted((now) => bench.keys.push(now - at));
  }, true);
  // when the scripts had run, when the page's data was asked for, when it was there
  bench.parts = () => {
    const [page] = performance.getEntriesByType("navigation");
    const data = performance.getEntriesByType("resource").find((each) => bench.isData(each.name));
    const times = { scripts: page.domContentLoadedEventEnd, asked: data?.startTime, got: data?.responseEnd };
    return Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, Math.round(ms ?? 0)]));
  };
  bench.watch = () => {
    bench.frames = [];
    bench.watching = true;
    const frame = (at) => {
      bench.frames.push(at);
      if (bench.watching) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  };
})();
