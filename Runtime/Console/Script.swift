/// What the console does in a browser beyond showing pages: parts that change by themselves, replies that
/// stream, rows that follow.
///
/// Every page works without it, but for these.
enum Script {
    static let text = live + days + tryout + rows

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
            const strips = () => [...part.querySelectorAll(".strip")];
            const places = strips().map((strip) => strip.scrollLeft);
            part.replaceChildren(...parsed(markup).body.childNodes);
            strips().forEach((strip, index) => { strip.scrollLeft = places[index] ?? 0; });
            if (!key) return;
            const again = [...part.querySelectorAll("a, button")].find((element) =>
              element.id === key || element.getAttribute("href") === key || element.dataset.key === key);
            if (again) again.focus({ preventScroll: true });
          };
          let source = null;
          const open = () => {
            if (source) return;
            const stream = new EventSource(main.dataset.live);
            source = stream;
            stream.onopen = () => show("live", true);
            stream.onerror = () => {
              show("waiting for the host", false);
              // A browser tries again by itself, but for an answer that was none of a stream.
              if (stream.readyState === EventSource.CLOSED) { source = null; setTimeout(look, 3000); }
            };
            stream.addEventListener("part", (event) => {
              const part = JSON.parse(event.data);
              put(part.id, part.markup);
            });
          };
          const close = () => { if (source) { source.close(); source = null; show("paused", false); } };
          const look = () => document.hidden ? close() : open();
          document.addEventListener("visibilitychange", look);
          addEventListener("pagehide", close);
          addEventListener("pageshow", look);
          show("connecting", false);
          open();
        })();

        """#

    /// Where the days have no room at once, those from shortly before now on are in sight first.
    private static let days = #"""
        (() => {
          for (const strip of document.querySelectorAll(".strip[data-now]")) {
            const hidden = strip.scrollWidth - strip.clientWidth;
            if (hidden > 0) strip.scrollLeft = Math.max(0, strip.dataset.now * strip.scrollWidth - 60);
          }
        })();

        """#

    /// The form that invokes a function: its reply is shown piece by piece.
    ///
    /// Bounds: a mebi of characters is shown, 32 MiB are kept to be played or saved.
    private static let tryout = #"""
        (() => {
          const form = document.getElementById("try");
          if (!form) return;
          const SHOWN = 1 << 20, KEPT = 32 << 20;
          const out = (id) => document.getElementById(id);
          const sample = form.elements.sample, body = form.elements.event;
          if (sample) sample.addEventListener("change", () => {
            body.value = sample.selectedOptions[0].dataset.event;
          });
          body.addEventListener("keydown", (event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
          });
          // JSON with line ends, and numbers that keep their digits.
          const laidOut = (json) => {
            let text = "", depth = 0, isQuoted = false;
            const line = () => "\n" + "  ".repeat(depth);
            for (let at = 0; at < json.length; at++) {
              const sign = json[at];
              if (isQuoted) {
                text += sign;
                if (sign === "\\") text += json[++at];
                else if (sign === "\"") isQuoted = false;
              } else if (sign === "\"") { isQuoted = true; text += sign; }
              else if (sign === "{" || sign === "[") {
                let next = at + 1;
                while (" \t\r\n".includes(json[next])) next++;
                if (json[next] === "}" || json[next] === "]") { text += sign + json[next]; at = next; }
                else { depth++; text += sign + line(); }
              } else if (sign === "}" || sign === "]") { depth--; text += line() + sign; }
              else if (sign === ",") text += sign + line();
              else if (sign === ":") text += ": ";
              else if (!" \t\r\n".includes(sign)) text += sign;
            }
            return text;
          };
          const size = (bytes) => bytes < 1024 ? bytes + " B"
            : bytes < 1 << 20 ? (bytes / 1024).toFixed(1) + " KiB" : (bytes / (1 << 20)).toFixed(1) + " MiB";
          const text = out("reply-text"), media = out("reply-media"), file = out("reply-file");
          let running = null, address = null;
          const show = (type, pieces, isText) => {
            const kind = type.split(";")[0].trim().toLowerCase();
            const isShown = !isText && /^(image|audio|video)\//.test(kind);
            // What a browser would run is saved, not opened.
            address = URL.createObjectURL(new Blob(pieces, { type: isShown ? kind : "application/octet-stream" }));
            file.href = address;
            file.hidden = false;
            if (isText) return;
            text.hidden = !text.textContent;
            media.hidden = false;
            if (!isShown) { media.textContent = "There is no preview of this type."; return; }
            const element = document.createElement(kind.startsWith("image/") ? "img" : kind.split("/")[0]);
            element.src = address;
            if (element.tagName === "IMG") element.alt = "The picture that was replied";
            else { element.controls = true; element.setAttribute("aria-label", "What was replied"); }
            media.append(element);
          };
          const clear = () => {
            if (address) URL.revokeObjectURL(address);
            address = null;
            media.replaceChildren(); text.textContent = ""; out("reply-facts").textContent = "";
            out("reply-headers").textContent = "";
            text.hidden = false;
            for (const element of [media, file, out("reply-head"), out("reply-link")]) element.hidden = true;
          };
          const refusal = async (answer) => {
            const said = consoleParsed(await answer.text()).querySelector("[role=alert]");
            return new Error(said ? said.textContent : "the host answered " + answer.status);
          };
          const stop = out("stop");
          stop.addEventListener("click", () => running && running.abort());
          form.addEventListener("submit", async (event) => {
            event.preventDefault();
            if (running) return;
            running = new AbortController();
            const run = form.querySelector("button[type=submit]");
            run.disabled = true; stop.disabled = false;
            const status = out("reply-status"), facts = out("reply-facts");
            out("reply").hidden = false;
            status.className = "pill"; status.textContent = "running";
            clear();
            let type = "", isText = true, isWhole = false, shown = 0, kept = 0;
            const pieces = [];
            const take = (piece, length) => {
              kept += length;
              if (kept <= KEPT) pieces.push(piece);
            };
            const heed = (piece) => {
              if (piece.head) {
                type = piece.head.type;
                isText = piece.head.isText;
                status.textContent = piece.head.status;
                status.className = "pill " + (piece.head.status < 400 ? "good" : "bad");
                facts.textContent = type;
                out("reply-headers").textContent = piece.head.headers.map((pair) => pair.join(": ")).join("\n");
                out("reply-head").hidden = piece.head.headers.length === 0;
              }
              if (piece.data) {
                const bytes = Uint8Array.from(atob(piece.data), (sign) => sign.charCodeAt(0));
                take(bytes, bytes.length);
                facts.textContent = [type, size(kept)].filter((fact) => fact).join(" · ");
              }
              if (piece.text) {
                take(piece.text, piece.text.length);
                if (shown < SHOWN) text.append(piece.text.slice(0, SHOWN - shown));
                shown += piece.text.length;
              }
              if (!piece.end) return;
              isWhole = true;
              facts.textContent = [type, piece.end.milliseconds + " ms", size(piece.end.bytes)]
                .filter((fact) => fact).join(" · ");
              if (type.includes("json") && shown <= SHOWN) {
                try { JSON.parse(text.textContent); text.textContent = laidOut(text.textContent); } catch { }
              }
              if (shown > SHOWN) text.append("\n… the rest is in the download");
              if (piece.end.error) {
                status.className = "pill bad";
                status.textContent = piece.end.status + " " + piece.end.error;
                text.append(text.textContent ? "\n" : "", piece.end.message);
              }
              if (kept && kept <= KEPT) show(type, pieces, isText);
              out("reply-link").href = piece.end.link;
              out("reply-link").hidden = false;
            };
            try {
              const answer = await fetch(form.action, {
                method: "POST", body: new URLSearchParams(new FormData(form)),
                headers: { accept: "application/x-ndjson" }, signal: running.signal });
              if (!answer.ok) throw await refusal(answer);
              const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
              let rest = "";
              for (;;) {
                const { value, done } = await reader.read();
                if (done) break;
                const lines = (rest + value).split("\n");
                rest = lines.pop();
                for (const line of lines) heed(JSON.parse(line));
              }
              if (!isWhole) throw new Error("the reply was cut off");
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
