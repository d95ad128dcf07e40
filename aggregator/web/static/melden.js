/* Helps the form along: keeps what is typed, waits for the line, finds the place. All of it works without. */
(() => {
  "use strict";
  const DRAFT = "netzlage.entwurf", KEPT = "netzlage.belege", HOUR = 36e5;
  const byId = (id) => document.getElementById(id);
  let waited = 0, timer = 0, sending = false;

  /* In this browser alone; where storage is forbidden everything else goes on. */
  const load = (key) => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } };
  const keep = (key, value) => {
    try { if (value) localStorage.setItem(key, JSON.stringify(value)); else localStorage.removeItem(key); } catch { /* private window */ }
  };

  const values = (form) => Object.fromEntries(new FormData(form));
  const tell = (text) => { byId("stand").textContent = text; };

  function restore(form) {
    const draft = load(DRAFT);
    /* After two hours it may be another fault: then it must not go under the old code. */
    if (!draft || Date.now() - draft.at > 2 * HOUR) return keep(DRAFT, null);
    if (document.querySelector(".fehlerliste")) return;
    for (const [name, value] of Object.entries(draft.values)) {
      const field = form.elements[name];
      if (field && "value" in field) field.value = value;
    }
    if (draft.waiting && AbortSignal.timeout) return send(form);
    tell(form.dataset.back);
  }

  async function send(form) {
    clearTimeout(timer);
    if (sending) return;
    sending = true;
    const body = new URLSearchParams(new FormData(form));
    keep(DRAFT, { at: Date.now(), values: values(form), waiting: true });
    tell(form.dataset.sending);
    try {
      const answer = await fetch(form.action, { method: "POST", body, signal: AbortSignal.timeout(4e4) });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!page.querySelector("main#inhalt h1")) throw new Error("not our page");
      keep(DRAFT, { at: Date.now(), values: values(form) });
      sending = false;
      show(page, answer);
    } catch {
      sending = false;
      tell(form.dataset.waiting);
      waited = Math.min(waited * 2 || 3e3, 6e4);
      timer = setTimeout(() => send(form), waited);
    }
  }

  /* The answer is the next page: shown as it is, so that it need not cross the line twice. */
  function show(page, answer) {
    document.title = page.title;
    document.querySelector("main").replaceWith(page.querySelector("main"));
    if (answer.redirected) history.replaceState(null, "", answer.url);
    waited = 0;
    start();
    (document.querySelector(".fehlerliste") || document.querySelector("main")).focus();
    scrollTo(0, 0);
  }

  function place(button) {
    const said = button.parentElement.querySelector("[role=status]"), words = button.dataset;
    button.parentElement.hidden = false;
    button.addEventListener("click", () => {
      said.textContent = words.seeking;
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => {
          byId("place").value = `${coords.latitude.toFixed(2)}, ${coords.longitude.toFixed(2)}`;
          said.textContent = words.found;
        },
        () => { said.textContent = words.nowhere; byId("place").focus(); },
        { timeout: 15e3, maximumAge: 6e5 },
      );
    });
  }

  function remember({ code, label, over }) {
    const others = (load(KEPT) || []).filter((one) => one.code !== code);
    const all = over === undefined ? [{ code, label, at: Date.now() }, ...others] : others;
    keep(KEPT, all.length ? all.slice(0, 5) : null);
    keep(DRAFT, null);
  }

  function list(section) {
    const kept = (load(KEPT) || []).filter((one) => Date.now() - one.at < 14 * 24 * HOUR);
    keep(KEPT, kept.length ? kept : null);
    for (const { code, label } of kept) {
      const link = document.createElement("a");
      link.href = `/melden/danke?code=${encodeURIComponent(code)}`;
      link.textContent = label;
      section.querySelector("ul").appendChild(document.createElement("li")).appendChild(link);
    }
    section.hidden = !kept.length;
    section.querySelector("button").addEventListener("click", () => { keep(KEPT, null); section.hidden = true; });
  }

  function start() {
    const form = byId("form"), receipt = byId("beleg"), print = byId("drucken");
    if (receipt) remember(receipt.dataset);
    if (print) { print.hidden = false; print.addEventListener("click", () => window.print()); }
    if (!form) return;
    list(byId("belege"));
    if (navigator.geolocation) place(byId("standort"));
    form.addEventListener("input", () => keep(DRAFT, { at: Date.now(), values: values(form) }));
    if (AbortSignal.timeout) form.addEventListener("submit", (event) => { event.preventDefault(); send(form); });
    restore(form);
  }

  addEventListener("online", () => { const form = byId("form"); if (form && waited) send(form); });
  start();
})();
