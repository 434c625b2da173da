/// How the console looks: one sheet, in the system's own fonts, light and dark.
enum Stylesheet {
    static let text = colours + frame + content + tables + forms + pictures + narrow + traces

    /// Every pair of a text and its ground has a contrast of 4.5 or more; a test computes them.
    private static let colours = """
        :root {
          color-scheme: light dark;
          --ground: #faf9f7; --paper: #ffffff; --sunk: #f3f1ed; --line: #e4e0d9; --strong-line: #8d867c;
          --ink: #1f1d1a; --quiet: #635e57;
          --accent: #a23c12; --accent-ink: #ffffff; --accent-wash: #f9ece5;
          --good: #22694a; --good-wash: #e6f2eb; --warn: #7a5200; --warn-wash: #faf0d9;
          --bad: #a8261d; --bad-wash: #fbe9e7; --blue: #2d5f8b; --blue-wash: #e5eef6;
          --shadow: 0 1px 2px rgb(40 30 20 / .05);
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --ground: #161513; --paper: #1e1d1a; --sunk: #26241f; --line: #35322c; --strong-line: #857e72;
            --ink: #ece8e1; --quiet: #aaa398;
            --accent: #f19a74; --accent-ink: #221007; --accent-wash: #38241b;
            --good: #85cba4; --good-wash: #1b2f25; --warn: #e3b866; --warn-wash: #332813;
            --bad: #f39a92; --bad-wash: #3a1f1c; --blue: #93bee2; --blue-wash: #1c2b38;
            --shadow: none;
          }
        }

        """

    private static let frame = """
        * { box-sizing: border-box; }
        html { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
          background: var(--ground); color: var(--ink); -webkit-text-size-adjust: 100%;
          font-variant-numeric: tabular-nums; }
        body { margin: 0; display: grid; grid-template-columns: 13rem minmax(0, 1fr); min-height: 100vh; }
        .skip { position: absolute; left: 1rem; top: -4rem; z-index: 2; padding: .5rem 1rem;
          background: var(--accent); color: var(--accent-ink); border-radius: 0 0 .5rem .5rem; }
        .skip:focus { top: 0; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
        main:focus { outline: none; }
        .side { position: sticky; top: 0; align-self: start; height: 100vh; padding: 1.5rem 1rem 1.25rem;
          display: flex; flex-direction: column; gap: 1.25rem; border-right: 1px solid var(--line); }
        .brand { margin: 0; padding: 0 .75rem; font-size: 1.15rem; font-weight: 650; letter-spacing: -.02em; }
        .brand a { color: inherit; text-decoration: none; }
        .brand a::before { content: ""; display: inline-block; width: .6rem; height: .6rem; margin-right: .55rem;
          border-radius: 50% 50% 50% 0; background: var(--accent); }
        nav ul { list-style: none; margin: 0; padding: 0; display: grid; gap: .125rem; }
        nav a { display: block; padding: .4rem .75rem; border-radius: .5rem; color: var(--quiet); text-decoration: none; }
        nav a:hover { background: var(--sunk); color: var(--ink); }
        nav a[aria-current] { background: var(--accent-wash); color: var(--accent); font-weight: 600; }
        .status { margin-top: auto; padding: 0 .75rem; font-size: .8rem; display: grid; gap: .5rem; }
        .status p { margin: 0; }
        .status time, .status span { display: block; }
        .live { color: var(--quiet); }
        .live::before { content: ""; display: inline-block; width: .5rem; height: .5rem; margin-right: .4rem;
          border-radius: 50%; background: var(--strong-line); }
        .live.on::before { background: var(--good); }
        main { padding: 2rem 2.25rem 4rem; max-width: 84rem; width: 100%; }
        .login { display: block; }
        .login main { max-width: 24rem; margin: 12vh auto 0; }

        """

    private static let content = """
        h1 { margin: 0 0 .25rem; font-size: 1.6rem; line-height: 1.25; font-weight: 650; letter-spacing: -.02em;
          overflow-wrap: anywhere; }
        h2 { margin: 2.25rem 0 .75rem; font-size: 1.05rem; font-weight: 620; letter-spacing: -.005em; }
        h3, .h3 { margin: 0; font-size: 1rem; font-weight: 620; }
        .lead { margin: 0 0 1.5rem; color: var(--quiet); max-width: 44rem; }
        a { color: var(--accent); text-underline-offset: .2em; text-decoration: underline;
          text-decoration-color: color-mix(in srgb, currentColor 35%, transparent); text-decoration-thickness: 1px; }
        a:hover { text-decoration-color: currentColor; }
        p { max-width: 48rem; }
        .quiet { color: var(--quiet); }
        .mono, code, pre { font-family: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace;
          font-size: .87em; }
        h1.mono { font-size: 1.3rem; letter-spacing: 0; }
        .small { font-size: .87rem; }
        code { overflow-wrap: anywhere; }
        pre { margin: 0; padding: .9rem 1rem; background: var(--sunk); border-radius: .6rem; overflow: auto;
          white-space: pre-wrap; overflow-wrap: anywhere; max-height: 32rem; }
        .note { margin: 0 0 1.25rem; padding: .6rem .9rem; border-radius: .6rem; max-width: none;
          background: var(--sunk); overflow-wrap: anywhere; }
        .note.good { background: var(--good-wash); color: var(--good); }
        .note.warn { background: var(--warn-wash); color: var(--warn); }
        .note.bad { background: var(--bad-wash); color: var(--bad); }
        .note.blue { background: var(--blue-wash); color: var(--blue); }
        .note p { margin: 0 0 .3rem; max-width: none; }
        .working::before { content: ""; display: inline-block; width: .7rem; height: .7rem; margin-right: .6rem;
          vertical-align: -1px; border: 2px solid currentColor; border-right-color: transparent; border-radius: 50%; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem;
          margin: 0 0 1.5rem; }
        .tiles div { padding: .9rem 1rem; background: var(--paper); border: 1px solid var(--line);
          border-radius: .75rem; box-shadow: var(--shadow); }
        .tiles dt { color: var(--quiet); font-size: .82rem; }
        .tiles dd { margin: .1rem 0 0; font-size: 1.5rem; font-weight: 600; letter-spacing: -.02em; line-height: 1.3; }
        .tiles .sub { display: block; font-size: .82rem; font-weight: 400; letter-spacing: 0; color: var(--quiet); }
        .tiles .bad { color: var(--bad); }
        .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(24rem, 100%), 1fr)); gap: .75rem;
          list-style: none; margin: 0; padding: 0; }
        .card { padding: 1rem 1.1rem; background: var(--paper); border: 1px solid var(--line); border-radius: .75rem;
          box-shadow: var(--shadow); min-width: 0; }
        .card p { margin: .25rem 0 .5rem; }
        .counts { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; margin: 0 0 .75rem; }
        .counts dt { color: var(--quiet); font-size: .82rem; }
        .counts dd { margin: 0; font-size: 1.15rem; font-weight: 600; line-height: 1.3; }
        summary { cursor: pointer; color: var(--quiet); }
        details[open] summary { margin-bottom: .4rem; }
        .facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .35rem 1.25rem; margin: 0; }
        .facts dt { color: var(--quiet); }
        .facts dd { margin: 0; overflow-wrap: anywhere; }
        .pill { display: inline-block; padding: .05rem .5rem; border-radius: 1rem; font-size: .8rem; line-height: 1.5;
          background: var(--sunk); color: var(--quiet); white-space: nowrap; }
        .pill.good { background: var(--good-wash); color: var(--good); }
        .pill.warn { background: var(--warn-wash); color: var(--warn); }
        .pill.bad { background: var(--bad-wash); color: var(--bad); }
        .pill.blue { background: var(--blue-wash); color: var(--blue); }
        .columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1.25rem;
          align-items: start; }
        .columns > * { min-width: 0; }
        .columns { margin-top: 1.75rem; }
        .columns h2:first-child { margin-top: 0; }
        .uneven { grid-template-columns: minmax(0, 2fr) minmax(0, 1fr); }
        .plain-list { list-style: none; margin: 0; padding: 0; display: grid; gap: .3rem; }
        .empty { padding: 1.5rem; text-align: center; color: var(--quiet); border: 1px dashed var(--line);
          border-radius: .75rem; max-width: none; }
        .visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
          white-space: nowrap; }
        .trail { margin: 0 0 .5rem; font-size: .87rem; }

        """

    private static let tables = """
        .list { width: 100%; border-collapse: collapse; background: var(--paper); border: 1px solid var(--line);
          border-radius: .75rem; border-spacing: 0; border-collapse: separate; box-shadow: var(--shadow); }
        .list caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
        .list th, .list td { padding: .55rem .9rem; text-align: left; vertical-align: middle; }
        .list thead th { color: var(--quiet); font-weight: 500; font-size: .82rem; white-space: nowrap; }
        .list tbody th { font-weight: 500; }
        .list tbody th, .list tbody td { border-top: 1px solid var(--line); overflow-wrap: anywhere; }
        .list tbody tr:hover > * { background: var(--sunk); }
        .list tbody tr:last-child > :first-child { border-bottom-left-radius: .7rem; }
        .list tbody tr:last-child > :last-child { border-bottom-right-radius: .7rem; }
        .list .number { text-align: right; white-space: nowrap; }
        .list form { display: inline; }
        .list .mono, .list button, .list time { white-space: nowrap; }
        a[aria-current="true"] { color: var(--ink); font-weight: 600; text-decoration: none; }
        .rows { list-style: none; margin: 0; padding: 0; background: var(--paper); border: 1px solid var(--line);
          border-radius: .75rem; overflow: hidden; }
        .rows li { content-visibility: auto; contain-intrinsic-size: auto 2.5rem; border-top: 1px solid var(--line); }
        .rows li:first-child { border-top: 0; }
        .row { display: grid; gap: .25rem 1rem; padding: .5rem .9rem; align-items: baseline; color: inherit;
          text-decoration: none;
          grid-template-columns: 6.5rem 8rem 5.5rem minmax(0, 1fr) 5rem 5rem; }
        .row:hover { background: var(--sunk); }
        .row:focus-visible { outline-offset: -2px; }
        .row .number { text-align: right; }
        .more { margin: 1rem 0; }

        """

    private static let forms = """
        label { display: block; margin: 0 0 .25rem; font-size: .87rem; color: var(--quiet); }
        input, select { height: 2.35rem; }
        input, select, textarea { width: 100%; padding: .45rem .65rem; font: inherit; color: var(--ink);
          background: var(--paper); border: 1px solid var(--strong-line); border-radius: .5rem; }
        textarea { min-height: 11rem; max-height: 36rem; resize: vertical; line-height: 1.45; field-sizing: content; }
        button, .button { display: inline-block; padding: .45rem .95rem; font: inherit; font-weight: 550;
          cursor: pointer; color: var(--accent-ink); background: var(--accent); border: 1px solid var(--accent);
          border-radius: .5rem; text-decoration: none; }
        button:hover { filter: brightness(1.06); }
        button.plain { background: transparent; color: var(--ink); border-color: var(--strong-line); font-weight: 450; }
        button.plain:hover { background: var(--sunk); filter: none; }
        button.slim { padding: .15rem .6rem; font-size: .87rem; }
        button.danger { background: transparent; color: var(--bad); border-color: var(--bad); }
        button:disabled { opacity: .6; cursor: default; }
        .login form, .stack { display: grid; gap: .9rem; }
        .stack p { margin: 0; }
        .bar { display: flex; flex-wrap: wrap; gap: .6rem; align-items: end; margin: 0 0 1rem; }
        .bar > div { flex: 1 1 9rem; min-width: 0; }
        .bar > .wide { flex-grow: 2; }
        .bar > button { height: 2.35rem; }
        .actions { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
        .reply { display: grid; gap: .6rem; }
        .reply p { margin: 0; }
        .reply:not([hidden]) ~ .empty { display: none; }
        .reply[hidden], .preview[hidden] { display: none; }

        """

    private static let pictures = """
        svg { display: block; max-width: 100%; }
        svg text { font: 11px system-ui, sans-serif; fill: var(--quiet); font-variant-numeric: tabular-nums; }
        .spark { width: 7.5rem; height: 1.6rem; }
        .spark rect { fill: var(--accent); opacity: .75; }
        .spark .bad { fill: var(--bad); opacity: 1; }
        .spark line { stroke: var(--line); }
        .strip { overflow-x: auto; background: var(--paper); border: 1px solid var(--line); border-radius: .75rem;
          padding: .75rem .5rem .5rem; box-shadow: var(--shadow); }
        .days { display: flex; padding: .25rem 0; }
        .days svg { max-width: none; }
        .lanes { flex: none; width: 9.5rem; padding-left: .9rem; position: sticky; left: 0; z-index: 1;
          background: var(--paper); border-right: 1px solid var(--line); }
        .times { flex: 1 0 48rem; width: 48rem; }
        .record { margin: 0 0 .75rem; }
        .grid { stroke: var(--line); stroke-width: 1; }
        .day { stroke: var(--line); stroke-width: 1; }
        svg .word { fill: var(--ink); }
        .now { stroke: var(--accent); stroke-width: 1.5; }
        svg .now-label { fill: var(--accent); font-weight: 600; }
        svg .name { fill: var(--ink); font-size: 12px; }
        .session { fill: var(--blue-wash); stroke: var(--blue); stroke-width: .75; }
        .pause, .extra { fill: var(--sunk); stroke: var(--line); }
        .holiday { fill: var(--warn-wash); stroke: var(--warn); stroke-width: .75; stroke-dasharray: 3 2; }
        .window { fill: var(--good-wash); stroke: var(--good); stroke-width: .75; }
        .window.alt { fill: var(--accent-wash); stroke: var(--accent); }
        .drain { fill: var(--warn); opacity: .45; }
        .mark { fill: var(--strong-line); }
        .mark.succeeded { fill: var(--good); }
        .mark.failed, .mark.missed { fill: var(--bad); }
        .mark.skipped, .mark.coalesced, .mark.cancelled, .mark.waiting { fill: var(--warn); }
        .mark.running { fill: var(--blue); }
        .mark.ahead { fill: none; stroke: var(--quiet); stroke-width: 1; }
        .legend { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; margin: .6rem 0 0; padding: 0; list-style: none;
          font-size: .82rem; color: var(--quiet); }
        .legend svg { display: inline-block; width: 1rem; height: .7rem; margin-right: .35rem; vertical-align: -1px; }
        .level-warning { color: var(--warn); }
        .level-error { color: var(--bad); }
        .phases { display: grid; grid-template-columns: fit-content(12rem) minmax(0, 1fr) fit-content(12rem);
          gap: .45rem 1rem; align-items: center; }
        .phases svg { width: 100%; overflow: visible; }
        .phases .name, .phases .took { font-size: .87rem; overflow-wrap: anywhere; }
        .phases .took { color: var(--quiet); text-align: right; }
        .phases .bad { color: var(--bad); }
        .phases .axis { grid-column: 2; }
        .phases p { grid-column: 1 / -1; margin: 0; }
        .phase-queued { fill: var(--strong-line); }
        .phase-cold { fill: var(--warn); }
        .phase-ran { fill: var(--blue); }
        .phase-call { fill: var(--accent); }
        meter { width: 100%; height: .6rem; }
        .preview img, .preview video { max-width: 100%; max-height: 28rem; border-radius: .6rem; display: block; }
        .preview audio { width: 100%; }

        """

    private static let narrow = """
        @media (max-width: 80rem) {
          .list .mono, .list time { white-space: normal; }
        }
        @media (max-width: 60rem) {
          body { display: block; }
          .side { position: static; height: auto; flex-flow: row wrap; align-items: center; gap: .5rem 1rem;
            padding: .75rem 1rem; border-right: 0; border-bottom: 1px solid var(--line); }
          .brand { padding: 0; }
          nav { order: 3; width: 100%; }
          nav ul { display: flex; flex-wrap: wrap; gap: .125rem; margin: 0 -.5rem; }
          nav a { padding: .25rem .5rem; font-size: .9rem; }
          .status { margin: 0 0 0 auto; padding: 0; grid-auto-flow: column; align-items: center; gap: .9rem; }
          main { padding: 1.25rem 1rem 3rem; }
        }
        @media (max-width: 48rem) {
          .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
          .cards, .columns, .uneven { grid-template-columns: minmax(0, 1fr); }
          .status .quiet { display: none; }
          .list, .list tbody, .list th, .list td { display: block; }
          .list tr { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 0 .75rem; }
          .list thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
          .list tbody tr { padding: .6rem .9rem; border-top: 1px solid var(--line); }
          .list tbody tr:first-child { border-top: 0; }
          .list tbody th, .list tbody td { border: 0; padding: .1rem 0; background: none !important; }
          .list tbody th, .list tbody td { grid-column: 1 / -1; }
          .list tbody td { display: grid; grid-template-columns: 7.5rem minmax(0, 1fr); gap: .5rem; text-align: left; }
          .list tbody td.number { grid-column: auto; grid-template-columns: minmax(0, 1fr); gap: 0; text-align: left;
            align-content: start; white-space: normal; }
          .list td[data-label]::before { content: attr(data-label); color: var(--quiet); font-size: .87rem; }
          .list td:empty { display: none; }
          .list td > .pill { justify-self: start; }
          .list .mono { white-space: normal; }
          .row { display: flex; flex-wrap: wrap; gap: .15rem .75rem; }
          .row > :nth-child(1) { color: var(--quiet); }
          .row > :nth-child(2) { order: -1; font-weight: 550; }
          .row > :nth-child(4) { order: 1; flex-basis: 100%; }
          .row > :nth-child(5) { display: none; }
          .row > :nth-child(6) { margin-left: auto; }
          .lanes { width: 7.5rem; padding-left: .6rem; }
          .lanes .name { font-size: 11px; }
          .facts { grid-template-columns: 6.5rem minmax(0, 1fr); gap: .35rem .75rem; }
          .phases { grid-template-columns: fit-content(7rem) minmax(0, 1fr) fit-content(6rem); gap: .45rem .6rem; }
        }
        @media (prefers-reduced-motion: no-preference) {
          .live.on::before { animation: breathe 2.4s ease-in-out infinite; }
          @keyframes breathe { 50% { opacity: .35; } }
          .working::before { animation: turn 1s linear infinite; }
          @keyframes turn { to { transform: rotate(1turn); } }
        }

        """
}
