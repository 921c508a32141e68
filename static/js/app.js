// Live additions to pages that work without them: countdown, busy buttons, waiting and focus at a swap.
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

  // Calls `tick` with the seconds left, once a second. Counts from the arrival of the page, so a
  // wrong clock on the device does not matter.
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

  // The rest of the page no longer speaks of a booking that goes on.
  const saysItIsOver = () => {
    for (const part of document.querySelectorAll("main [data-over]")) {
      part.textContent = part.dataset.over;
      part.hidden = !part.dataset.over;
    }
    for (const ticket of document.querySelectorAll("main :is(.ticket, .ticket-line)")) {
      ticket.classList.add("ticket-off");
    }
    document.title = `${document.querySelector("h1").textContent} · DocBook`;
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
        // Screen readers say only the newest mark: a sleeping tab wakes up past several of them.
        if (left > mark || said.has(mark)) continue;
        said.add(mark);
        if (total > mark && left > mark - 15) say(bar.getAttribute(`data-say-${mark}`));
      }
      if (left === 0) {
        bar.querySelector(".hold-until").textContent = bar.getAttribute("data-say-0");
        bar.querySelector(".hold-kind").hidden = true;
        bar.querySelector(".hold-after").hidden = false;
        // If the form had this submit button from the start, Enter would press it.
        for (const button of bar.querySelectorAll("button")) button.type = "submit";
        // Forms that can no longer succeed go; their fields are still sent with the next step.
        const own = bar.querySelectorAll("form[method=post]");
        const over = own.length
          ? own
          : document.querySelectorAll("main form[method=post], main .no-mail, main .booking-head p");
        const wasHere = [...over].some((part) => part.contains(document.activeElement));
        for (const part of over) part.hidden = true;
        if (!own.length) saysItIsOver();
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

  // Only the first press counts; the button keeps its width, its name and its value.
  const makeBusy = (button) => {
    const label = button.querySelector("span:not(.time-note)");
    const use = button.querySelector("use") || addIcon(button);
    button.style.minWidth = `${button.offsetWidth}px`;
    button.classList.add("is-busy");
    button.setAttribute("aria-disabled", "true");
    if (label && button.dataset.busyLabel) label.textContent = button.dataset.busyLabel;
    use?.setAttribute("href", use.getAttribute("href").replace(/#.*/, "#refresh-cw"));
  };

  // The browser's own error page would replace this one, and lose everything that was typed.
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

  // Back from the next page, out of the browser's memory: busy buttons and times are stale.
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

  // A question in a dialog. Without scripts, its link leads to a page with the same question.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-dialog]");
    const dialog = link && document.getElementById(link.dataset.dialog);
    if (!dialog || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    dialog.showModal();
  });

  // Links with data-swap, and visits of the grid, replace a part of the page; without scripts they lead to the whole of it.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-swap], .time-entries a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const part = link.closest("[data-swaps]");
    const target = `#${part.id}`;
    htmx.ajax("GET", link.href, { source: link, target, swap: part.dataset.swaps, push: link.href });
  });

  // The minute of the day at this height of a column, to five minutes.
  const minuteAt = (column, y) => {
    const style = getComputedStyle(column);
    const hours = (name) => Number(style.getPropertyValue(name));
    const box = column.getBoundingClientRect();
    const share = (y - box.top) / box.height;
    return Math.round((hours("--from") * 60 + share * hours("--lh") * 60) / 5) * 5;
  };

  // A visit that is dropped on a time of its doctor opens the page that moves it, with that time.
  let dragged = null;
  const columnUnder = (event) => {
    const column = dragged && event.target.closest?.(".time-entries");
    return column?.dataset.doctor === dragged?.doctor ? column : null;
  };
  document.addEventListener("dragstart", (event) => {
    const link = event.target.closest?.(".time-entries a");
    const doctor = link?.closest(".time-entries").dataset.doctor;
    dragged = link && { link, doctor, above: event.clientY - link.getBoundingClientRect().top };
  });
  document.addEventListener("dragend", () => (dragged = null));
  document.addEventListener("dragover", (event) => columnUnder(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    const column = columnUnder(event);
    if (!column) return;
    event.preventDefault();
    const at = minuteAt(column, event.clientY - dragged.above);
    const visit = new URL(dragged.link.href).searchParams.get("visit");
    location.assign(`${location.pathname}visits/${visit}/move/?date=${column.dataset.day}&at=${at}`);
  });

  // A stretch of a day that is drawn with the mouse, away from visits, opens the page that blocks it.
  let drawn = null;
  const clockAt = (column, y) => {
    const { top, bottom } = column.getBoundingClientRect();
    const at = minuteAt(column, Math.min(bottom, Math.max(top, y)));
    return `${String(Math.floor(at / 60)).padStart(2, "0")}:${String(at % 60).padStart(2, "0")}`;
  };
  const stopDrawing = () => {
    drawn?.box.remove();
    drawn = null;
  };
  document.addEventListener("pointerdown", (event) => {
    const column = event.target.closest?.(".time-entries");
    if (!column || event.button || event.pointerType !== "mouse" || event.target.closest("a")) return;
    const box = document.createElement("li");
    box.className = "time-drawn";
    drawn = { column, box, from: event.clientY };
  });
  document.addEventListener("pointermove", (event) => {
    if (!drawn) return;
    const [top, end] = [drawn.from, event.clientY].sort((a, b) => a - b);
    const { column, box } = drawn;
    if (!box.isConnected && end - top < 6) return;
    event.preventDefault();
    column.append(box);
    [drawn.first, drawn.last] = [clockAt(column, top), clockAt(column, end)];
    box.textContent = `${drawn.first}–${drawn.last}`;
    box.style.insetBlockStart = `${top - column.getBoundingClientRect().top}px`;
    box.style.blockSize = `${end - top}px`;
  });
  document.addEventListener("pointerup", () => {
    if (drawn?.first && drawn.first !== drawn.last) {
      const page = new URL(document.getElementById("block-time").href);
      const { doctor, day } = drawn.column.dataset;
      const asked = { doctor, date: day, from: drawn.first, until: drawn.last };
      for (const [name, value] of Object.entries(asked)) page.searchParams.set(name, value);
      location.assign(page);
    }
    stopDrawing();
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && stopDrawing());

  // Single keys press what has data-key. They can be switched off: speech input types letters too.
  const isTyping = (element) => element.matches("input, select, textarea, [contenteditable]");
  // "v" leads to the first visit. From there arrows lead from visit to visit: up and down within a
  // day, left and right to the nearest one beside it. Elsewhere they scroll, as always.
  const nextVisit = (key) => {
    const visits = [...document.querySelectorAll(".time-entries a")];
    const here = visits.indexOf(document.activeElement);
    if (key === "v") return visits[0];
    if (here < 0) return null;
    if (key === "ArrowUp" || key === "ArrowDown") return visits[here + (key === "ArrowUp" ? -1 : 1)];
    const columns = [...document.querySelectorAll(".time-column")];
    const at = columns.indexOf(visits[here].closest(".time-column"));
    const step = (key === "ArrowLeft") === (document.dir === "rtl") ? 1 : -1;
    const top = visits[here].getBoundingClientRect().top;
    const distance = (visit) => Math.abs(visit.getBoundingClientRect().top - top);
    for (let i = at + step; columns[i]; i += step) {
      const found = [...columns[i].querySelectorAll(".time-entries a")];
      if (found.length) return found.reduce((a, b) => (distance(b) < distance(a) ? b : a));
    }
    return null;
  };
  document.addEventListener("keydown", (event) => {
    const keys = document.getElementById("keys");
    if (!keys || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (keys.open || isTyping(event.target) || document.querySelector(".menu[open]")) return;
    if (event.key.length === 1 && keys.dataset.single === "off") return;
    if (event.key === "?") return keys.showModal();
    const isStep = event.key === "v" || (event.key.startsWith("Arrow") && !event.shiftKey);
    const visit = isStep && nextVisit(event.key);
    const pressed = visit || document.querySelector(`[data-key~="${CSS.escape(event.key)}"]`);
    if (!pressed) return;
    event.preventDefault();
    if (visit) visit.focus();
    else pressed.click();
  });

  const focusOn = (element) => {
    if (!element) return;
    element.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth", block: "start" });
    element.focus({ preventScroll: true });
  };

  // Empty fields do not belong in the address.
  document.addEventListener("htmx:configRequest", (event) => {
    const asked = event.detail.parameters;
    if (event.detail.verb !== "get") return;
    for (const name of Object.keys(asked)) if (asked[name] === "") delete asked[name];
  });

  // The part that will be replaced is stale: its times belong to the previous visit type.
  const setWaiting = (fragment, waits) => {
    if (!fragment) return;
    if (waits) fragment.setAttribute("aria-busy", "true");
    else fragment.removeAttribute("aria-busy");
    for (const stale of fragment.querySelectorAll("[data-stale]")) stale.inert = waits;
  };

  document.addEventListener("htmx:beforeRequest", (event) => setWaiting(event.detail.target, true));
  document.addEventListener("htmx:afterRequest", (event) => setWaiting(event.detail.target, false));

  // No swap came. With a connection, loading the address shows why. Without one we stay here, and
  // the choice returns to what the page shows.
  // A page that is being left ends its requests, and must not hold its visitor back. Downloads begin
  // like that too, and leave nothing: soon afterwards a failure counts again.
  const LEAVING = 3_000;
  let left = -LEAVING;
  addEventListener("beforeunload", () => (left = performance.now()));
  const goThere = (event) => {
    const { target, pathInfo } = event.detail;
    if (performance.now() - left < LEAVING) return;
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
    // Parts that are swapped outside the fragment come through here too.
    if (!fragment.dataset?.announce) return;
    say(fragment.dataset.announce);
    // The pressed element may be gone. Then the focus goes to the fragment's heading.
    if (document.activeElement === document.body) {
      const chosen = fragment.querySelector(".time-entries [aria-current]");
      (chosen || fragment.querySelector("[tabindex='-1']"))?.focus({ preventScroll: true });
    }
    if (!source || !phone.matches) return;
    if (source.dataset.thenFocus) focusOn(document.getElementById(source.dataset.thenFocus));
    // On a phone the filters are above the results, so "Show doctors" scrolls down to them.
    if (event.detail.requestConfig.triggeringEvent?.type === "submit") {
      for (const filters of document.querySelectorAll(".filters[open]")) filters.open = false;
      focusOn(document.getElementById("results-heading"));
    }
  });

  // The answer to a press has the address of the press, so a reload would press again.
  const answer = document.querySelector("[data-address]");
  if (answer) history.replaceState(history.state, "", answer.dataset.address);

  document.querySelectorAll("[data-hold]").forEach(startHold);
  document.querySelectorAll("[data-resend-in]").forEach(startResend);
  document.querySelectorAll(".search-date").forEach(markEmptyDate);
  document.querySelectorAll(".code input").forEach(onlyDigits);
  const first =
    document.querySelector("[data-focus]") || document.querySelector("[aria-invalid='true']");
  if (first) first.focus();
  // The next typed digit replaces an incomplete code.
  if (first?.matches(".code input")) first.select();
})();
