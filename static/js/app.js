// Live changes on pages that work without them: countdown, busy buttons, waiting and focus at a swap.
(() => {
  "use strict";

  const announcer = () => document.getElementById("announcer");
  const say = (text) => {
    const region = announcer();
    if (region && text) region.textContent = text;
  };
  const clockText = (seconds) =>
    `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const phone = matchMedia("(max-width: 639px)");

  // Calls `tick` with the seconds left, once a second. Counts from when the page came, so that a
  // wrong clock on the device changes nothing.
  const countDown = (seconds, tick) => {
    const end = performance.now() + seconds * 1000;
    const step = () => {
      const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
      tick(left);
      if (left === 0) clearInterval(timer);
    };
    const timer = setInterval(step, 1000);
    step();
  };

  const startHold = (bar) => {
    const ring = bar.querySelector(".ring-left");
    const figure = bar.querySelector(".hold-left");
    const term = ring.getAttribute("pathLength");
    const said = new Set();
    const total = Number(bar.dataset.hold);
    countDown(total, (left) => {
      figure.textContent = clockText(left);
      if (!calm.matches || left % 15 === 0) ring.setAttribute("stroke-dasharray", `${left} ${term}`);
      for (const mark of [180, 60, 20, 0]) {
        // Only the newest mark is spoken: a sleeping tab wakes up past several of them.
        if (left > mark || said.has(mark)) continue;
        said.add(mark);
        if (total > mark && left > mark - 15) say(bar.getAttribute(`data-say-${mark}`));
      }
      if (left === 0) {
        bar.querySelector(".hold-until").textContent = bar.getAttribute("data-say-0");
        bar.querySelector(".hold-kind").hidden = true;
        bar.querySelector(".hold-after").hidden = false;
        // A second submit button of a form from the start would be the one that Enter presses.
        for (const button of bar.querySelectorAll("button")) button.type = "submit";
        // What can no longer succeed goes; its fields are still sent with the way on.
        const own = bar.querySelectorAll("form[method=post]");
        const over = own.length
          ? own
          : document.querySelectorAll("main form[method=post], main .no-mail, main .booking-head p");
        const wasHere = [...over].some((part) => part.contains(document.activeElement));
        for (const part of over) part.hidden = true;
        for (const button of document.querySelectorAll("main button[form]")) {
          button.hidden = !bar.contains(button);
        }
        ring.setAttribute("hidden", "");
        if (wasHere) bar.querySelector(".hold-after .button").focus();
      }
    });
  };

  const startResend = (button) => {
    const label = button.querySelector("span");
    const ready = label.textContent;
    if (Number(button.dataset.resendIn) <= 0) return;
    button.classList.add("button-waiting");
    button.setAttribute("aria-disabled", "true");
    countDown(Number(button.dataset.resendIn), (left) => {
      label.textContent = left ? `${button.dataset.waitLabel} ${clockText(left)}` : ready;
      if (left) return;
      button.classList.remove("button-waiting");
      button.removeAttribute("aria-disabled");
    });
  };

  const addIcon = (button) => {
    const model = document.querySelector("svg.icon");
    if (!model) return null;
    const icon = model.cloneNode(true);
    button.prepend(icon);
    return icon.firstElementChild;
  };

  // The first press counts; the button keeps its width, its name and its value.
  const makeBusy = (button) => {
    const label = button.querySelector("span:not(.time-note)");
    const use = button.querySelector("use") || addIcon(button);
    button.style.minWidth = `${button.offsetWidth}px`;
    button.classList.add("is-busy");
    button.setAttribute("aria-disabled", "true");
    if (label && button.dataset.busyLabel) label.textContent = button.dataset.busyLabel;
    use?.setAttribute("href", use.getAttribute("href").replace(/#.*/, "#refresh-cw"));
  };

  // The browser's own page would take the place of this one, and with it all that was typed.
  const offline = document.getElementById("offline");
  const sayOffline = (before) => {
    before.before(offline);
    offline.hidden = false;
    say(offline.innerText);
    offline.scrollIntoView({ block: "nearest" });
  };
  addEventListener("online", () => (offline.hidden = true));

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const button = event.submitter;
    // "Keep it" in a dialog closes it and sends nothing.
    if ((button?.getAttribute("formmethod") || form.method) !== "post") return;
    if (!navigator.onLine) {
      event.preventDefault();
      sayOffline(form);
      return;
    }
    if (form.dataset.sent || (button && button.getAttribute("aria-disabled") === "true")) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    if (button) makeBusy(button);
  });

  // Back from the next page, out of the browser's memory: what was busy is stale, and so are times.
  addEventListener("pageshow", (event) => {
    if (event.persisted && document.querySelector("[data-sent], [data-hold]")) location.reload();
  });

  const onlyDigits = (input) => {
    input.value = input.value.replace(/\D/g, "").slice(0, 6);
  };

  document.addEventListener("input", (event) => {
    if (event.target.matches(".code input")) onlyDigits(event.target);
    markEmptyDate(event.target.closest(".search-date"));
  });

  const markEmptyDate = (box) => {
    if (box) box.classList.toggle("is-empty", !box.querySelector("input").value);
  };

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll(".menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector(".menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  // A question in a dialog; without scripts its link leads to a page that asks the same.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-dialog]");
    const dialog = link && document.getElementById(link.dataset.dialog);
    if (!dialog || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    dialog.showModal();
  });

  const focusOn = (element) => {
    if (!element) return;
    element.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth", block: "start" });
    element.focus({ preventScroll: true });
  };

  // What asks for nothing does not belong into the address.
  document.addEventListener("htmx:configRequest", (event) => {
    const asked = event.detail.parameters;
    if (event.detail.verb !== "get") return;
    for (const name of Object.keys(asked)) if (asked[name] === "") delete asked[name];
  });

  // What is about to be replaced is stale. A time of it would be held for the reason before.
  const setWaiting = (fragment, waits) => {
    if (!fragment) return;
    if (waits) fragment.setAttribute("aria-busy", "true");
    else fragment.removeAttribute("aria-busy");
    for (const stale of fragment.querySelectorAll("[data-stale]")) stale.inert = waits;
  };

  document.addEventListener("htmx:beforeRequest", (event) => setWaiting(event.detail.target, true));
  document.addEventListener("htmx:afterRequest", (event) => setWaiting(event.detail.target, false));

  // No swap came. With a connection, the address itself says why; without one we stay here, and
  // the choice goes back to what the page shows.
  const goThere = (event) => {
    const { target, pathInfo } = event.detail;
    if (navigator.onLine) return location.assign(pathInfo.finalRequestPath);
    for (const form of target.querySelectorAll("form[method=get]")) form.reset();
    sayOffline(target);
  };
  for (const failure of ["htmx:sendError", "htmx:responseError"]) {
    document.addEventListener(failure, goThere);
  }

  document.addEventListener("htmx:afterSettle", (event) => {
    const fragment = event.target;
    const source = event.detail.requestConfig ? event.detail.requestConfig.elt : null;
    // Parts that are swapped beside the fragment come by here too.
    if (!fragment.dataset?.announce) return;
    say(fragment.dataset.announce);
    // What was pressed may be gone: then the place to read on from is the fragment's heading.
    if (document.activeElement === document.body) {
      fragment.querySelector("[tabindex='-1']")?.focus({ preventScroll: true });
    }
    if (!source || !phone.matches) return;
    if (source.dataset.thenFocus) focusOn(document.getElementById(source.dataset.thenFocus));
    // On a phone the filters lie above the results: a pressed "Show doctors" goes there.
    if (event.detail.requestConfig.triggeringEvent?.type === "submit") {
      for (const filters of document.querySelectorAll(".filters[open]")) filters.open = false;
      focusOn(document.getElementById("results-heading"));
    }
  });

  // An answer to a press stands at the address of the press, where a reload would press again.
  const answer = document.querySelector("[data-address]");
  if (answer) history.replaceState(history.state, "", answer.dataset.address);

  document.querySelectorAll("[data-hold]").forEach(startHold);
  document.querySelectorAll("[data-resend-in]").forEach(startResend);
  document.querySelectorAll(".search-date").forEach(markEmptyDate);
  document.querySelectorAll(".code input").forEach(onlyDigits);
  const first =
    document.querySelector("[data-focus]") || document.querySelector("[aria-invalid='true']");
  if (first) first.focus();
  // What is typed now replaces five digits of six.
  if (first?.matches(".code input")) first.select();
})();
