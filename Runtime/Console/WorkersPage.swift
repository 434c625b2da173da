import FunctionCore

/// The worker processes and what the host has for them.
package struct WorkersView: Sendable {
    package struct Worker: Sendable {
        package var function: String
        package var pid: Int32
        package var state: String
        package var inFlight: Int
        package var age: Duration
        package var memory: Int?

        package init(function: String, pid: Int32, state: String, inFlight: Int, age: Duration, memory: Int?)
        {
            self.function = function
            self.pid = pid
            self.state = state
            self.inFlight = inFlight
            self.age = age
            self.memory = memory
        }
    }

    package struct Pool: Sendable {
        package var function: String
        package var workers: Int
        package var max: Int
        package var pending: Int
        package var retired: Int
        package var lost: Int

        package init(function: String, workers: Int, max: Int, pending: Int, retired: Int, lost: Int) {
            self.function = function
            self.workers = workers
            self.max = max
            self.pending = pending
            self.retired = retired
            self.lost = lost
        }
    }

    package struct Resource: Sendable {
        package var name: String
        package var total: Int
        package var free: Int

        package init(name: String, total: Int, free: Int) {
            self.name = name
            self.total = total
            self.free = free
        }

        fileprivate func text(_ amount: Int) -> String {
            switch name {
            case "cpu": counted(digits(Double(amount) / 1000, 2), "core")
            case "memory": spoken(bytes: amount)
            default: amount >= 1 << 20 ? spoken(bytes: amount) : String(amount)
            }
        }
    }

    package var workers: [Worker]
    package var pools: [Pool]
    package var resources: [Resource]
    package var waiting: [String]

    package init(workers: [Worker], pools: [Pool], resources: [Resource], waiting: [String]) {
        self.workers = workers
        self.pools = pools
        self.resources = resources
        self.waiting = waiting
    }

    package var page: Page {
        Page("Workers", .workers, live: Address("/console/live/workers")) {
            tag("h1") { "Workers" }
            tag("p", .class("lead")) { "The processes that run functions, and the room there is for them." }
            for part in parts { part.placed() }
        }
    }

    package var parts: [Part] {
        [
            Part("resources") {
                tag("dl", .class("tiles")) {
                    for resource in resources {
                        tag("div") {
                            tag("dt") { "Free \(resource.name)" }
                            tag("dd") {
                                resource.text(resource.free)
                                tag("span", .class("sub")) { "of \(resource.text(resource.total))" }
                            }
                        }
                    }
                }
                for text in waiting { tag("p", .class("note warn")) { text } }
            },
            Part("workers") {
                tag("h2") { "Processes" }
                table(
                    "Worker processes",
                    [
                        "Process", "Function", "State", .number("In flight"), .number("Memory"),
                        .number("Age"),
                    ],
                    workers.map { worker in
                        [
                            tag("code") { String(worker.pid) },
                            tag("a", .href(Address("/console/functions", worker.function))) {
                                worker.function
                            },
                            pill(worker.state, worker.tone), amount(worker.inFlight),
                            HTML(worker.memory.map { spoken(bytes: $0) } ?? "–"), HTML(spoken(worker.age)),
                        ]
                    },
                    empty: "No worker runs: they start when they are wanted."
                )
            },
            Part("pools") {
                tag("h2") { "Pools" }
                table(
                    "Pools of workers",
                    [
                        "Function", .number("Workers"), .number("At most"), .number("Wait for room"),
                        .number("Retired"), .number("Lost and replaced"),
                    ],
                    pools.map { pool in
                        [
                            tag("a", .href(Address("/console/functions", pool.function))) { pool.function },
                            amount(pool.workers), amount(pool.max), amount(pool.pending),
                            amount(pool.retired),
                            pool.lost > 0 ? pill(String(pool.lost), .bad) : amount(0),
                        ]
                    },
                    empty: noFunctions
                )
            },
        ]
    }
}

extension WorkersView.Worker {
    fileprivate var tone: Tone {
        switch state {
        case "running": .blue
        case "idle": .good
        case "starting", "pending": .quiet
        default: .warn
        }
    }
}
