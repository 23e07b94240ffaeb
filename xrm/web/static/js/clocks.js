/* Durations that go on: the server's words are the truth, this keeps them fresh. The rule is that of display.py. */
const language = document.documentElement.lang;
const unit = (name) => new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "short" });
const units = { day: unit("day"), hour: unit("hour"), minute: unit("minute") };

function words(minutes) {
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor(minutes / 60) % 24;
  const rest = minutes % 60;
  if (days >= 14 || (days && !hours)) return units.day.format(days);
  if (days) return `${units.day.format(days)} ${units.hour.format(hours)}`;
  if (hours) return rest ? `${units.hour.format(hours)} ${units.minute.format(rest)}` : units.hour.format(hours);
  return units.minute.format(rest);
}

function tick() {
  for (const place of document.querySelectorAll("[data-since]")) {
    const minutes = Math.floor((Date.now() - new Date(place.dataset.since)) / 60000);
    if (minutes >= 0) place.textContent = words(minutes);
  }
}

setInterval(tick, 30000);
