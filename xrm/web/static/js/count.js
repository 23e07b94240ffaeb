/* How many characters are left, said politely and only once typing pauses. */
function count(area) {
  const place = document.getElementById(`${area.id}-c`);
  const left = Number(area.dataset.limit) - [...area.value].length;
  place.textContent = left < 0 ? `${-left} characters too many` : `${left} characters left`;
  place.classList.toggle("msg-err", left < 0);
}

let timer;
document.addEventListener("input", (event) => {
  const area = event.target.closest("[data-limit]");
  if (!area) return;
  document.getElementById(`${area.id}-c`).setAttribute("aria-live", "polite");
  clearTimeout(timer);
  timer = setTimeout(() => count(area), 400);
});
