/**
 * Times in the market's zone, which is named; and the service's own clock, which may run faster than ours.
 * @module
 */

/** The service's clock: what it said last, and how it has run since. */
export class Clock {
  /** @param {number} nowMs what the service said its clock shows */
  constructor(nowMs) {
    this.heard = [{ at: performance.now(), ms: nowMs }];
  }

  /** @param {number} nowMs what it says now: two sayings tell how fast it runs */
  hear(nowMs) {
    this.heard.push({ at: performance.now(), ms: nowMs });
    if (this.heard.length > 8) this.heard.splice(1, 1);
  }

  /** How many clock seconds pass a second. */
  get speed() {
    const first = this.heard[0], last = this.heard.at(-1);
    if (!first || !last || last.at - first.at < 500) return 1;
    const speed = (last.ms - first.ms) / (last.at - first.at);
    return Math.abs(speed - 1) < 0.2 ? 1 : Math.max(0, speed);
  }

  /** Milliseconds since the epoch, by the service's clock. */
  now() {
    const last = this.heard.at(-1);
    return last ? last.ms + (performance.now() - last.at) * this.speed : Date.now();
  }
}

/** Formats of one zone. */
export class Zone {
  /** @param {string} name IANA name */
  constructor(name) {
    this.name = name;
    /** @type {Map<number, string>} by quarter of an hour: thousands of rows ask on each change */
    this.dates = new Map();
    const of = (/** @type {Intl.DateTimeFormatOptions} */ options) =>
      new Intl.DateTimeFormat("en-GB", { timeZone: name, hourCycle: "h23", ...options });
    this.forms = {
      time: of({ hour: "2-digit", minute: "2-digit" }),
      seconds: of({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
      day: new Intl.DateTimeFormat("en-US", { timeZone: name, weekday: "short", day: "numeric", month: "short" }),
      date: of({ year: "numeric", month: "2-digit", day: "2-digit" }),
      short: new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "short", hour: "2-digit" }),
    };
  }

  /** 14:05 @param {number} ms */
  time(ms) {
    return ms ? this.forms.time.format(ms) : "";
  }

  /** 14:05:09 @param {number} ms */
  seconds(ms) {
    return this.forms.seconds.format(ms);
  }

  /** Tue 3 Mar @param {number} ms */
  day(ms) {
    const { weekday, day, month } = this.parts("day", ms);
    return `${weekday} ${day} ${month}`;
  }

  /** @param {"day" | "date"} form @param {number} ms @returns {Record<string, string>} */
  parts(form, ms) {
    return Object.fromEntries(this.forms[form].formatToParts(ms).map((each) => [each.type, each.value]));
  }

  /** 2026-03-03 @param {number} ms */
  date(ms) {
    const quarter = Math.floor(ms / 900_000); // no zone's day begins within one
    let found = this.dates.get(quarter);
    if (found === undefined) {
      const { year, month, day } = this.parts("date", ms);
      found = `${year}-${month}-${day}`;
      if (this.dates.size > 5_000) this.dates.clear();
      this.dates.set(quarter, found);
    }
    return found;
  }

  /** 14:05; on another day than `nowMs` Tue 14:05, or farther away 3 Mar 14:05 @param {number} ms @param {number} nowMs */
  moment(ms, nowMs) {
    if (!ms) return "";
    if (this.date(ms) === this.date(nowMs)) return this.time(ms);
    const { weekday, day, month } = this.parts("day", ms);
    return `${Math.abs(ms - nowMs) < 6 * 86_400_000 ? weekday : `${day} ${month}`} ${this.time(ms)}`;
  }

  /** How the zone is called then: EST, or GMT+9 @param {number} ms */
  abbreviation(ms) {
    return this.forms.short.formatToParts(ms).find((each) => each.type === "timeZoneName")?.value || this.name;
  }
}

/**
 * How long: 45 s, 12 min, 3 h 20, 2 d.
 * @param {number} ms
 */
export function span(ms) {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  if (Math.abs(ms) < 60_000) return `${Math.round(Math.abs(ms) / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 2880) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}`;
  return `${Math.round(minutes / 1440)} d`;
}

/**
 * Until then, from ten hours on by whole ones: "in 12 min", "3 h 20 ago", "26 h ago".
 * @param {number} ms
 * @param {number} nowMs
 */
export function until(ms, nowMs) {
  const hours = Math.floor(Math.round(Math.abs(ms - nowMs) / 60_000) / 60); // a half hour stays what it was
  const about = hours >= 10 && hours < 48 ? `${hours} h` : span(ms - nowMs);
  return ms >= nowMs ? `in ${about}` : `${about} ago`;
}
