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
  const bench = globalThis.bench = { paintedAt: 0, keys: [], frames: [], painted };
  const look = () => {
    if (document.querySelector("SELECTOR")) painted((at) => bench.paintedAt = at);
    else requestAnimationFrame(look);
  };
  look();
  addEventListener("keydown", (event) => {
    const at = event.timeStamp;
    painted((now) => bench.keys.push(now - at));
  }, true);
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
