// The open schedule shows what others change: told by a stream, or by looking once a minute.
(() => {
  "use strict";
  const POLL = 45_000;
  const SETTLE = 200;
  const AGAIN = 1_000;
  const part = () => document.getElementById("schedule");
  const words = document.getElementById("live-words").dataset;

  let stream = null;
  let url = "";
  let place = ""; // the newest change that the stream has told of
  let kinds = new Set();
  let dragging = false;
  let timer = 0;
  let poll = 0;

  // Nothing moves under the hands of somebody who types, drags, or answers a question.
  const isTouched = (field) => field.value !== field.defaultValue || field === document.activeElement;
  const isBusy = () =>
    dragging ||
    document.querySelector("dialog[open], .menu[open], [data-sent], .time-drawn, #schedule[aria-busy]") ||
    [...part().querySelectorAll("input:not([type=hidden]), textarea")].some(isTouched);
  document.addEventListener("dragstart", () => (dragging = true));
  document.addEventListener("dragend", () => (dragging = false));

  // What a reader would notice: neither secrets of forms, nor what they have opened, nor the clock.
  const plain = (tree) => {
    const copy = tree.cloneNode(true);
    for (const each of copy.querySelectorAll("[name=csrfmiddlewaretoken], .axis-now")) each.remove();
    for (const each of copy.querySelectorAll("details")) each.removeAttribute("open");
    for (const each of [copy, ...copy.querySelectorAll("[class='']")]) each.removeAttribute("class");
    copy.removeAttribute("aria-busy");
    return copy;
  };

  // The element of another drawing of the schedule that stands for this one.
  const counterpart = (element, tree) => {
    if (element.id) return tree.querySelector(`#${CSS.escape(element.id)}`);
    const home = element.parentElement.closest("[id]");
    const root = home.id === tree.id ? tree : tree.querySelector(`#${CSS.escape(home.id)}`);
    const name = ["href", "value", "name"].find((each) => element.hasAttribute(each));
    const value = name ? `[${name}="${CSS.escape(element.getAttribute(name))}"]` : "";
    return root?.querySelector(`${element.localName}${value}`);
  };

  const swap = (old, fresh) => {
    for (const each of old.querySelectorAll("details")) {
      const other = counterpart(each, fresh);
      if (other) other.open = each.open;
    }
    const scrolled = [...old.querySelectorAll("div, aside")]
      .filter((each) => each.scrollTop || each.scrollLeft)
      .map((each) => [`.${[...each.classList].join(".")}`, each.scrollLeft, each.scrollTop]);
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const next = focused && (counterpart(focused, fresh) || fresh.querySelector("h1"));
    old.replaceWith(fresh);
    htmx.process(fresh);
    for (const [selector, left, top] of scrolled) fresh.querySelector(selector)?.scrollTo(left, top);
    next?.focus({ preventScroll: true });
  };

  const announce = () => {
    const told = [...kinds].map((kind) => words[kind]).filter(Boolean);
    const text = new Set(told).size === 1 ? told[0] : words.changed;
    document.getElementById("announcer").textContent = text;
  };

  const refresh = async () => {
    timer = 0;
    if (document.hidden) return;
    if (isBusy()) return soon(AGAIN);
    const old = part();
    let answer;
    let text;
    try {
      answer = await fetch(location.href, {
        headers: { "HX-Request": "true", "X-By-Itself": "1" },
        cache: "no-store",
      });
      text = await answer.text();
    } catch {
      return; // offline: the stream or the next look comes back to it
    }
    // Signed out, or no longer allowed to read this: the page must not stay on the screen.
    if (answer.redirected || answer.headers.has("HX-Redirect") || answer.status === 404) {
      return location.reload();
    }
    if (!answer.ok) return;
    if (part() !== old || isBusy()) return soon(AGAIN);
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("schedule");
    const isNew = fresh && !plain(fresh).isEqualNode(plain(old));
    if (isNew) {
      swap(old, document.adoptNode(fresh));
      announce();
    }
    kinds = new Set();
  };
  const soon = (wait = SETTLE) => {
    timer ||= setTimeout(refresh, wait);
  };

  const look = (often) => {
    if (!often) clearInterval(poll);
    else if (poll) return;
    poll = often ? setInterval(often, POLL) : 0;
  };
  // Without a stream. Each look also tries for one.
  const lookBySelf = () => {
    soon();
    if (stream?.readyState === EventSource.CLOSED) open();
  };

  const open = () => {
    stream?.close();
    if (part().dataset.live !== url) place = ""; // another doctor's page has just been drawn
    url = part().dataset.live;
    const since = place && `${url.includes("?") ? "&" : "?"}since=${place}`;
    stream = new EventSource(`${url}${since}`);
    stream.addEventListener("ready", (event) => {
      place = event.lastEventId;
      look(null);
      if (JSON.parse(event.data).changed) soon();
    });
    stream.addEventListener("change", (event) => {
      place = event.lastEventId;
      const { day, kind } = JSON.parse(event.data);
      const { liveFirst, liveLast } = part().dataset;
      if (day < liveFirst || day > liveLast) return;
      kinds.add(kind);
      soon();
    });
    stream.addEventListener("error", () => look(lookBySelf));
  };

  // A tab that nobody sees keeps no stream. When it is seen again, it looks at once.
  const follow = () => {
    if (document.hidden) {
      stream?.close();
      look(null);
      return;
    }
    if (!place) soon();
    open();
  };
  document.addEventListener("visibilitychange", follow);
  document.addEventListener("htmx:afterSettle", () => {
    if (part().dataset.live !== url) open();
  });
  if (!document.hidden) open();
})();
