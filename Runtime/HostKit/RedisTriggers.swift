import FunctionCore
import Invocations
import Observe
import RedisTrigger
import Storage

/// A trigger that Redis feeds, as the host starts and stops it.
protocol RedisTriggering: Sendable {
    func start()
    func stop(grace: Duration) async
}

extension StreamTrigger: RedisTriggering {}
extension ChannelTrigger: RedisTriggering {}

/// What a manifest says that a trigger reads.
enum RedisSource: Sendable, Hashable {
    case stream(Manifest.Stream)
    case list(Manifest.List)
    case channel(Manifest.Channel)

    static func all(of manifest: Manifest) -> [RedisSource] {
        manifest.streams.map(RedisSource.stream) + manifest.lists.map(RedisSource.list)
            + manifest.channels.map(RedisSource.channel)
    }
}

extension HostStarter {
    /// The set that makes a trigger for each source that manifests name.
    ///
    /// Their name as consumers comes from the data directory, so that it is the same after a restart.
    func makeTriggers(_ state: HostState, _ redis: RedisClient, directory: String) -> TriggerSet {
        let consumer = "host-" + sha256Hex(Bytes(directory)).prefix(12)
        return TriggerSet { manifest, source in
            switch source {
            case .stream(let stream):
                StreamTrigger(
                    stream: stream,
                    manifest: manifest,
                    consumer: consumer,
                    client: redis,
                    dispatching: state.dispatcher,
                    clock: state.clock,
                    report: {
                        state.telemetry.stream($0, manifest.name, key: stream.stream, group: stream.group)
                    }
                )
            case .list(let list):
                StreamTrigger(
                    list: list,
                    manifest: manifest,
                    consumer: consumer,
                    client: redis,
                    dispatching: state.dispatcher,
                    clock: state.clock,
                    report: { state.telemetry.stream($0, manifest.name, key: list.list, group: "list") }
                )
            case .channel(let channel):
                ChannelTrigger(
                    channel: channel,
                    function: manifest.name,
                    client: redis,
                    dispatching: state.dispatcher,
                    clock: state.clock,
                    report: { state.telemetry.channel($0, manifest.name, channel.channel) }
                )
            }
        }
    }
}

extension Telemetry {
    /// What a channel trigger reports.
    func channel(_ report: ChannelReport, _ function: String, _ channel: String) {
        func count(_ result: String, _ messages: Int) {
            metrics.add("swiftlet_channel_messages_total", [channel, result], by: Double(messages))
        }
        func note(_ level: LogLevel, _ message: String, _ fields: [(String, JSON)] = []) {
            self.note(level, message, function: function, [("channel", .string(channel))] + fields)
        }
        switch report {
        case .delivered(let messages): count("delivered", messages)
        case .failed(let messages, let reason):
            count("failed", messages)
            note(.warning, "messages are lost: their event failed", [("reason", .string(reason))])
        case .dropped(let messages):
            count("dropped", messages)
            note(.debug, "messages were dropped: the buffer is full")
        case .redisDown(let error):
            note(.warning, "channel is not heard: redis is away", [("reason", .string(error.message))])
        case .redisUp: note(.debug, "channel is subscribed to")
        case .eventsOff:
            note(
                .warning,
                "this Redis publishes no keyspace events; set notify-keyspace-events, such as KEA"
            )
        }
    }
}
