/**
 * The address bar: which market and page it names, the state that stands in it, and going elsewhere within the console.
 * @module
 */

/** @param {string} market @param {string} name @param {string[]} [path] @param {Record<string, string>} [query] */
export function address(market, name, path = [], query = {}) {
  const words = new URLSearchParams(query).toString();
  return ["/console", market, name, ...path].map((each, at) => at ? encodeURIComponent(each) : each).join("/") +
    (words ? `?${words}` : "");
}

/** @param {string} where @param {boolean} [instead] */
export function visit(where, instead = false) {
  history[instead ? "replaceState" : "pushState"](null, "", where);
  dispatchEvent(new PopStateEvent("popstate"));
}

/** @param {Record<string, string | null | undefined>} changes */
export function setQuery(changes) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") query.delete(name);
    else query.set(name, value);
  }
  const words = query.toString();
  history.replaceState(null, "", location.pathname + (words ? `?${words}` : ""));
}

/** Links within the console change the page, not the document. @param {MouseEvent} event */
export function followed(event) {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (
    !link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey ||
    link.target || link.hasAttribute("download")
  ) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || !url.pathname.startsWith("/console/")) return;
  event.preventDefault();
  visit(url.pathname + url.search);
}
