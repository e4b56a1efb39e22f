import { frame } from "../../dispatcher/console/assets/core/api.js";
import { csv } from "../../dispatcher/console/assets/core/csv.js";
import { after } from "../../dispatcher/console/assets/core/live.js";
import { span, until, Zone } from "../../dispatcher/console/assets/core/time.js";

/** @param {unknown} found @param {unknown} wanted */
function same(found, wanted) {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`);
  }
}

Deno.test("a time is the market's, and says its zone", () => {
  const zone = new Zone("America/New_York");
  const winter = Date.UTC(2026, 0, 5, 17, 30), summer = Date.UTC(2026, 6, 6, 17, 30);
  same([zone.time(winter), zone.abbreviation(winter)], ["12:30", "EST"]);
  same([zone.time(summer), zone.abbreviation(summer)], ["13:30", "EDT"]);
  same(zone.date(Date.UTC(2026, 2, 3, 3, 0)), "2026-03-02");
  same(zone.moment(winter, winter), "12:30");
  same(zone.moment(winter, winter + 86_400_000), "Mon 12:30");
  same(zone.moment(winter, summer), "5 Jan 12:30");
  same(zone.day(winter), "Mon 5 Jan");
});

Deno.test("midnight is 00:00, never 24:00", () => {
  same(new Zone("Asia/Seoul").time(Date.UTC(2026, 0, 1, 15, 0)), "00:00");
});

Deno.test("how long is said in the largest unit that still tells", () => {
  same([span(45_000), span(720_000), span(12_000_000), span(172_800_000)], ["45 s", "12 min", "3 h 20", "2 d"]);
  same([until(60_000, 0), until(0, 240_000)], ["in 1 min", "4 min ago"]);
  same([until(0, 12_000_000), until(93_599_000, 0), until(88_200_000, 0), until(0, 172_800_000)], [
    "3 h 20 ago",
    "in 26 h",
    "in 24 h",
    "2 d ago",
  ]);
});

Deno.test("a cell of a table is never taken for a formula", () => {
  same(csv(["a", "b"], [["=1+1", 'x,"y"'], [-5, "+49"]]), 'a,b\r\n\'=1+1,"x,""y"""\r\n-5,\'+49\r\n');
});

Deno.test("an event is read by its lines", () => {
  same(frame("id: 7\ndata: {}"), { id: "7", data: "{}" });
  same(frame(": still here"), { id: "", data: "" });
});

Deno.test("what comes late looks late until it does no more, and a sign of life changes nothing of that", () => {
  same([after("off", null), after("stale", { late_s: 0 }), after("live", { late_s: 4 })], ["live", "live", "live"]);
  same([after("live", { late_s: 6 }), after("late", null), after("late", { late_s: 0 })], ["late", "late", "live"]);
});
