/* Links with data-dialog open their page in a dialog; without script they are links. */
document.addEventListener("click", async (event) => {
  const source = event.target.closest("a[data-dialog]");
  if (!source || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const response = await fetch(source.href, { headers: { "HX-Request": "true" } });
  if (!response.ok) return location.assign(source.href);
  const dialog = document.createElement("dialog");
  dialog.innerHTML = await response.text();
  dialog.querySelector("title")?.remove();
  const close = document.createElement("form");
  close.method = "dialog";
  close.innerHTML = '<button class="btn quiet" type="submit">Close</button>';
  dialog.prepend(close);
  dialog.setAttribute("aria-label", source.getAttribute("aria-label"));
  dialog.addEventListener("close", () => {
    dialog.remove();
    source.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
});
