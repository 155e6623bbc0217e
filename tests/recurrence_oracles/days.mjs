// Reads rules from standard input, and writes the days of each, as JSON.
import { readFileSync } from "node:fs";
import { RRuleTemporal } from "rrule-temporal";

function days({ rule, start, after, end }) {
  const until = end.replaceAll("-", "");
  const rruleString = `DTSTART;VALUE=DATE:${start}\nRRULE:${rule};UNTIL=${until}`;
  const found = new RRuleTemporal({ rruleString, maxIterations: 1_000_000 }).all();
  return found.map((one) => one.toString().slice(0, 10)).filter((day) => day > after);
}

const asked = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(asked.map(days)));
