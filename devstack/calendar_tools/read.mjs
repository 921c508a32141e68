// Reads a calendar from standard input with ical.js, and writes its events as JSON.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const calendar = new ICAL.Component(ICAL.parse(readFileSync(0, "utf8")));
const events = calendar.getAllSubcomponents("vevent").map((part) => {
  const event = new ICAL.Event(part);
  return {
    uid: event.uid,
    sequence: event.sequence,
    status: part.getFirstPropertyValue("status"),
    start: event.startDate.toString(),
    summary: event.summary,
    location: event.location,
  };
});
process.stdout.write(JSON.stringify(events));
