/** The vendors' page without a browser: its texts in both languages, its times, stretches of a day. */
import "../../dispatcher/console/assets/vendor/panels/enter.js";
import "../../dispatcher/console/assets/vendor/panels/lost_words.js";
import "../../dispatcher/console/assets/vendor/panels/words.js";
import { problem } from "../../dispatcher/console/assets/vendor/core/pieces.js";
import { table } from "../../dispatcher/console/assets/vendor/core/messages.js";
import { distance, route } from "../../dispatcher/console/assets/vendor/core/route.js";
import { spoken } from "../../dispatcher/console/assets/core/spoken.js";
import { countdown, Times } from "../../dispatcher/console/assets/vendor/core/times.js";
import { runs, unitsOf } from "../../dispatcher/console/assets/vendor/panels/capacity_edit.js";
import { ENDED } from "../../dispatcher/console/assets/vendor/panels/day.js";
import { statusOf } from "../../dispatcher/console/assets/vendor/panels/ride_acts.js";
import { nearest } from "../../dispatcher/console/assets/vendor/panels/counter.js";

/** @param {unknown} found @param {unknown} wanted */
function same(found, wanted) {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`);
  }
}

const ASSETS = new URL("../../dispatcher/console/assets/vendor/", import.meta.url);

/** All modules of the page. @returns {string[]} */
function sources() {
  const folders = ["core", "panels", "worker"].map((each) => new URL(`${each}/`, ASSETS));
  const files = folders.flatMap((each) => [...Deno.readDirSync(each)].map((file) => new URL(file.name, each)));
  return files.map((each) => Deno.readTextFileSync(each));
}

Deno.test("every text is there in English and in Spanish, with the same blanks to fill", () => {
  for (const [key, said] of Object.entries(table())) {
    const [english, spanish] = said.map((each) => (each.match(/\{\w+\}/g) || []).sort());
    same([key, said.length, said.every(Boolean)], [key, 2, true]);
    same([key, english], [key, spanish]);
  }
});

Deno.test("what the page asks for is in the table, and what is in the table is asked for", () => {
  const all = sources().join("\n"), keys = Object.keys(table());
  const asked = [...all.matchAll(/\bt\(\s*(?:\w+ \? )?"([\w.-]+)"/g)].map((each) => each[1] || "");
  same(asked.filter((each) => !keys.includes(each)), []);
  const rest = keys.filter((each) => all.split(`"${each}"`).length < 3);
  const families = new Set([...all.matchAll(/`(\w+)\.\$\{/g)].map((each) => each[1]));
  const own = new Set([...all.matchAll(/`\$\{each\}\.(\w+)`/g)].map((each) => each[1]));
  same(rest.filter((each) => !families.has(each.split(".")[0]) && !own.has(each.split(".").at(-1) || "")), []);
});

Deno.test("what was taken back from its vendor is over, whatever was reported or tapped before", () => {
  const taps = /** @type {any} */ ({ of: () => [{ kind: "status", value: "en_route" }] });
  const { status } = statusOf({ id: "r1.1", status: "en_route", offer: { state: "cancelled" } }, taps);
  same([status, ENDED.includes(status)], ["cancelled", true]);
});

Deno.test("who was second reads so in its language, not by ids and codes of the service", () => {
  const detail = "offer r1.2 is cancelled (taken); it cannot be accepted\nMaybe look which of your offers are open.";
  same(problem("wrong-state", detail), "another vendor was first");
  same(problem("stale-version", "it is not at version 3"), "somebody else has changed it meanwhile; look again");
});

Deno.test("what breaks rules says which in words, by no codes, and what is not known in words is said plainly", () => {
  const detail = "vendor v1 may not serve request r1: arrival\nMaybe another start.";
  const rules = { rules: ["arrival", "hours"] };
  same(
    problem("does-not-fit", detail, rules),
    "its appointment could not be reached in time; you were closed",
  );
  same(problem("does-not-fit", detail, { rules: ["no rule of ours"] }), "it breaks one of your own rules");
  same(problem("does-not-fit", detail), "it breaks one of your own rules");
});

Deno.test("a time is the market's, in the reader's language, on days that change the clock too", () => {
  const english = new Times("America/New_York", "en"), spanish = new Times("America/New_York", "es");
  const winter = Date.UTC(2026, 2, 2, 15, 5);
  same([english.time(winter), english.day(winter), english.date(winter)], ["10:05", "Mon, Mar 2", "2026-03-02"]);
  same(spanish.day(winter), "lun, 2 mar");
  same(english.moment(winter, winter + 86_400_000), "Mon, Mar 2, 10:05");
  for (
    const [day, time, hour] of [["2026-03-07", "12:00", 17], ["2026-03-08", "12:00", 16], ["2026-11-01", "00:30", 4]]
  ) {
    same(new Date(english.instant(String(day), String(time))).getUTCHours(), hour);
  }
  same(english.later("2026-02-28", 1), "2026-03-01");
  same([countdown(581_000), countdown(4_181_000), countdown(-1)], ["9:41", "1:09:41", "0:00"]);
});

Deno.test("a start that is countered is the nearest of that time, over midnight too", () => {
  const times = new Times("America/New_York", "en"), late = "2026-03-03T04:50:00Z"; // 23:50
  same(new Date(nearest(late, "00:10", times)).toISOString(), "2026-03-03T05:10:00.000Z");
  same(new Date(nearest(late, "23:30", times)).toISOString(), "2026-03-03T04:30:00.000Z");
});

Deno.test("stretches of a day are what is posted, whatever its buckets", () => {
  same(runs([3]), [{ from: "00:00", to: "24:00", units: 3 }]);
  const hours = Array.from({ length: 24 }, (_, hour) => hour >= 6 && hour < 18 ? 2 : 0);
  same(runs(hours), [
    { from: "00:00", to: "06:00", units: 0 },
    { from: "06:00", to: "18:00", units: 2 },
    { from: "18:00", to: "24:00", units: 0 },
  ]);
  const again = unitsOf(runs(hours).filter((each) => each.units));
  same([again.length, runs(again)], [48, runs(hours)]);
  same(unitsOf([{ from: "00:00", to: "24:00", units: 4 }]), [4]);
  const quarters = Array.from({ length: 96 }, (_, at) => at === 33 ? 1 : 0);
  same(runs(unitsOf(runs(quarters))), runs(quarters));
});

Deno.test("an offer says from where to where by what may be seen of it, and how it is called at the telephone", () => {
  /** @type {[string, number, number][]} */
  const places = [["Fairmount", -75.17, 39.97], ["Airport", -75.24, 39.87], ["Far", -70, 40]];
  const [fairmount, airport, sea] = [[-75.18, 39.96], [-75.25, 39.88], [-60, 40]];
  same(route({ pickup_zone: fairmount, dropoff_zone: airport }, places), "Fairmount → Airport");
  same(route({ pickup_zone: fairmount, dropoff_zone: fairmount }, places), "in Fairmount");
  same(route({ pickup_zone: fairmount }, places), "in Fairmount");
  same(route({ pickup_zone: sea, dropoff_zone: airport }, places), "to Airport");
  same(route({ pickup_zone: fairmount, dropoff_zone: sea }, places), "from Fairmount");
  same(route({ pickup_zone: fairmount, dropoff_zone: airport }), "");
  same(distance({ distance_m: 16_093, pickup_zone: fairmount, dropoff_zone: airport }), "10 mi to the south-west");
  same(distance({ distance_m: 16_093, pickup_zone: [179.9, 0], dropoff_zone: [-179.9, 0] }), "10 mi to the east");
  same(distance({ distance_m: 1_000, pickup_zone: sea, dropoff_zone: sea }), "0.6 mi");
  same(distance({ pickup_zone: fairmount }), "");
  same([spoken("ride-1") === spoken("ride-1"), /^\d{3} \d{3}$/.test(spoken("")), spoken("a") === spoken("b")], [
    true,
    true,
    false,
  ]);
});
