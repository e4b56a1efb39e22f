/**
 * Times in the market's zone, in the reader's language.
 * @module
 */

export const DAY_MS = 86_400_000;

/** The service's clock, by the phone's: a phone that slept has the right time at once. */
export class ServiceClock {
  /** @param {number} nowMs what the service said its clock shows */
  constructor(nowMs) {
    this.ahead = nowMs - Date.now();
  }

  /** @param {number} nowMs what it says now */
  hear(nowMs) {
    this.ahead = nowMs - Date.now();
  }

  /** Milliseconds since the epoch. */
  now() {
    return Date.now() + this.ahead;
  }
}

export class Times {
  /** @param {string} zone @param {string} language */
  constructor(zone, language) {
    this.zone = zone;
    const of = (/** @type {Intl.DateTimeFormatOptions} */ options) =>
      new Intl.DateTimeFormat(language, { timeZone: zone, hourCycle: "h23", ...options });
    this.hours = of({ hour: "2-digit", minute: "2-digit" });
    this.days = of({ weekday: "short", day: "numeric", month: "short" });
    this.dates = of({ day: "numeric", month: "short", year: "numeric" });
    this.parts = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
  }

  /** 14:05 @param {number | string} at */
  time(at) {
    return this.hours.format(ms(at));
  }

  /** Tue 3 Mar @param {number | string} at */
  day(at) {
    return this.days.format(ms(at));
  }

  /** 14:05, and on another day than today: Tue 3 Mar, 14:05 @param {number | string} at @param {number} now */
  moment(at, now) {
    return this.date(at) === this.date(now) ? this.time(at) : `${this.day(at)}, ${this.time(at)}`;
  }

  /** @param {number | string} at @returns {Record<string, string>} */
  fields(at) {
    return Object.fromEntries(this.parts.formatToParts(ms(at)).map((each) => [each.type, each.value]));
  }

  /** 2026-03-03 @param {number | string} at */
  date(at) {
    const { year, month, day } = this.fields(at);
    return `${year}-${month}-${day}`;
  }

  /** So many days later. @param {string} date 2026-03-03 @param {number} days */
  later(date, days) {
    return new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10);
  }

  /** A day as it is called. @param {string} date 2026-03-03 */
  called(date) {
    return this.day(this.instant(date, "12:00"));
  }

  /** A day with its year. @param {string} date 2026-03-03 */
  dated(date) {
    return this.dates.format(this.instant(date, "12:00"));
  }

  /** When it is that time of that day here. @param {string} date 2026-03-03 @param {string} time 14:05 */
  instant(date, time) {
    const wanted = Date.parse(`${date}T${time}:00Z`);
    const first = wanted - this.offset(wanted);
    return wanted - this.offset(first);
  }

  /** @param {number} at */
  offset(at) {
    const { year, month, day, hour, minute, second } = this.fields(at);
    return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) - Math.floor(at / 1000) * 1000;
  }
}

/** @param {number | string} at */
export function ms(at) {
  return typeof at === "number" ? at : Date.parse(at);
}

/** 9:41, or 1:09:41 @param {number} left milliseconds */
export function countdown(left) {
  const all = Math.max(0, Math.floor(left / 1000));
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (/** @type {number} */ each) => String(each).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}
