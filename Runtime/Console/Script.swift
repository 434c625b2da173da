/// What the console does in a browser beyond showing pages: parts that change by themselves, replies that
/// stream, rows that follow.
///
/// Every page works without it, but for these.
enum Script {
    static let text = live + tryout + rows

    /// Parts of the page come as server-sent events, as markup that the host has written.
    ///
    /// One connection a page that is looked at: a browser has six for all its pages.
    private static let live = #"""
        "use strict";
        (() => {
          const policy = window.trustedTypes
            ? trustedTypes.createPolicy("console", { createHTML: (text) => text }) : { createHTML: (text) => text };
          const parsed = (markup) =>
            new DOMParser().parseFromString(policy.createHTML(markup), "text/html");
          window.consoleParsed = parsed;
          const main = document.querySelector("main[data-live]");
          if (!main || !window.EventSource) return;
          const sign = document.getElementById("live");
          const show = (text, on) => {
            if (sign.textContent !== text) sign.textContent = text;
            sign.classList.toggle("on", on);
          };
          const isSelected = (element) => {
            const selection = getSelection();
            return selection && !selection.isCollapsed && element.contains(selection.anchorNode);
          };
          const put = (id, markup) => {
            const part = document.getElementById(id);
            // Rows that were asked for stay.
            if (!part || isSelected(part) || part.querySelector("[data-grown]")) return;
            const held = part.contains(document.activeElement) ? document.activeElement : null;
            if (held && /^(INPUT|SELECT|TEXTAREA)$/.test(held.tagName)) return;
            const key = held && (held.id || held.getAttribute("href") || held.dataset.key);
            part.replaceChildren(...parsed(markup).body.childNodes);
            if (!key) return;
            const again = [...part.querySelectorAll("a, button")].find((element) =>
              element.id === key || element.getAttribute("href") === key || element.dataset.key === key);
            if (again) again.focus({ preventScroll: true });
          };
          let source = null;
          const open = () => {
            if (source) return;
            source = new EventSource(main.dataset.live);
            source.onopen = () => show("live", true);
            source.onerror = () => show("waiting for the host", false);
            source.addEventListener("part", (event) => {
              const part = JSON.parse(event.data);
              put(part.id, part.markup);
            });
          };
          const close = () => { if (source) { source.close(); source = null; show("paused", false); } };
          document.addEventListener("visibilitychange", () => document.hidden ? close() : open());
          addEventListener("pagehide", close);
          addEventListener("pageshow", () => { if (!document.hidden) open(); });
          open();
        })();

        """#

    /// The form that invokes a function: its reply is shown piece by piece.
    private static let tryout = #"""
        (() => {
          const form = document.getElementById("try");
          if (!form) return;
          const out = (id) => document.getElementById(id);
          const sample = form.elements.sample, body = form.elements.event, operation = form.elements.operation;
          if (sample) sample.addEventListener("change", () => {
            const chosen = sample.selectedOptions[0];
            body.value = chosen.dataset.event || "";
            if (operation) operation.value = chosen.dataset.operation || "";
          });
          let running = null;
          const stop = out("stop");
          stop.addEventListener("click", () => running && running.abort());
          form.addEventListener("submit", async (event) => {
            event.preventDefault();
            if (running) return;
            running = new AbortController();
            const run = form.querySelector("button[type=submit]");
            run.disabled = true; stop.disabled = false;
            const status = out("reply-status"), text = out("reply-text"), facts = out("reply-facts");
            out("reply").hidden = false;
            status.className = "pill"; status.textContent = "running"; text.textContent = ""; facts.textContent = "";
            let type = "", isWhole = false;
            try {
              const answer = await fetch(form.action, {
                method: "POST", body: new URLSearchParams(new FormData(form)),
                headers: { accept: "application/x-ndjson" }, signal: running.signal });
              if (!answer.ok) throw new Error("the host answered " + answer.status);
              const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
              let rest = "";
              for (;;) {
                const { value, done } = await reader.read();
                if (done) break;
                const lines = (rest + value).split("\n");
                rest = lines.pop();
                for (const line of lines) {
                  const piece = JSON.parse(line);
                  if (piece.head) {
                    type = piece.head.type;
                    status.textContent = piece.head.status;
                    status.className = "pill " + (piece.head.status < 400 ? "good" : "bad");
                    facts.textContent = type;
                  }
                  if (piece.text) text.append(piece.text);
                  if (piece.end) {
                    isWhole = true;
                    facts.textContent = [type, piece.end.milliseconds + " ms", piece.end.bytes + " bytes"]
                      .filter((fact) => fact).join(" · ");
                    if (piece.end.error) {
                      status.className = "pill bad";
                      status.textContent = piece.end.status + " " + piece.end.error;
                      text.append(text.textContent ? "\n" : "", piece.end.message);
                    }
                    out("reply-link").href = piece.end.link;
                    out("reply-link").hidden = false;
                  }
                }
              }
              if (!isWhole) throw new Error("the reply was cut off");
              if (type.includes("json")) {
                try { text.textContent = JSON.stringify(JSON.parse(text.textContent), null, 2); } catch { }
              }
            } catch (error) {
              status.className = "pill bad";
              status.textContent = error.name === "AbortError" ? "stopped" : "failed";
              if (error.name !== "AbortError") text.append(error.message);
            }
            running = null; run.disabled = false; stop.disabled = true;
          });
        })();

        """#

    /// "Older" puts the next rows under those that are there.
    private static let rows = #"""
        (() => {
          document.addEventListener("click", async (event) => {
            const link = event.target.closest("a[data-more]");
            if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            if (link.getAttribute("aria-busy") === "true") return;
            link.setAttribute("aria-busy", "true");
            try {
              const answer = await fetch(link.href);
              if (!answer.ok) throw new Error(String(answer.status));
              const page = consoleParsed(await answer.text());
              const list = document.getElementById(link.dataset.more);
              const fresh = [...page.getElementById(link.dataset.more).children];
              list.append(...fresh);
              list.dataset.grown = "";
              const next = page.querySelector("a[data-more]");
              if (next) { link.href = next.href; link.removeAttribute("aria-busy"); }
              else link.remove();
              const first = fresh[0] && fresh[0].querySelector("a");
              if (first && !event.detail) first.focus({ preventScroll: true });
            } catch { location.href = link.href; }
          });
        })();

        """#
}
