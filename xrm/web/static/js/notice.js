/* "Saved." is said once: the address keeps no word of it, so that reloading does not say it again. */
const address = new URL(location.href);
if (address.searchParams.has("done")) {
  address.searchParams.delete("done");
  history.replaceState(history.state, "", address);
}
