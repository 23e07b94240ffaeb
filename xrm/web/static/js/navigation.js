/* On a phone the navigation is a strip that scrolls: what is current is brought into its middle. */
const strip = document.querySelector(".nav");
const current = strip?.querySelector("[aria-current]");
if (current) {
  const [inner, outer] = [current.getBoundingClientRect(), strip.getBoundingClientRect()];
  strip.scrollBy(inner.x + inner.width / 2 - (outer.x + outer.width / 2), 0);
}
