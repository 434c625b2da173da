import FunctionCore
import Glibc

/// Where calendars are looked for: the project's own folder first, then those that came with the product.
///
/// A calendar is in the file of its name, with `-` for a slash: `24/7` is in `24-7.yaml`.
package struct CalendarFiles: Sendable, Hashable {
    /// The project's folder of calendars.
    package let own: String
    /// The folder of the product's calendars; nil where there is none.
    package let shipped: String?

    package init(schedules: String, shipped: String? = CalendarFiles.shippedFolder(program: programPath())) {
        own = "\(schedules)/calendars"
        self.shipped = shipped
    }

    /// The product's calendars, found from the program's file upwards.
    ///
    /// An installation has them in `share/swiftlet/calendars`, a checkout beside its `.build` in
    /// `schedules/calendars`.
    package static func shippedFolder(program: String) -> String? {
        var folders = program.split(separator: "/").dropLast()
        while !folders.isEmpty {
            let folder = "/" + folders.joined(separator: "/")
            for place in ["share/swiftlet/calendars", "schedules/calendars"] {
                if access("\(folder)/\(place)/XNYS.yaml", R_OK) == 0 { return "\(folder)/\(place)" }
            }
            folders = folders.dropLast()
        }
        return nil
    }

    /// The file of a calendar, whether it is there or not.
    package static func fileName(of calendar: String) -> String {
        calendar.replacing("/", with: "-") + ".yaml"
    }

    /// The file a calendar is read from.
    package func file(of calendar: String) -> String? {
        // A name is no path: nothing outside of the folders is read.
        guard !calendar.isEmpty, !calendar.hasPrefix(".") else { return nil }
        let name = CalendarFiles.fileName(of: calendar)
        return [own, shipped].compactMap { $0.map { "\($0)/\(name)" } }.first { access($0, R_OK) == 0 }
    }

    /// The file with what is different on single days.
    package func overrides(of calendar: String) -> String {
        "\(own)/overrides/\(CalendarFiles.fileName(of: calendar))"
    }

    /// The project's own calendar files.
    package var ownFiles: [String] {
        listDirectory(own).filter { $0.hasSuffix(".yaml") }.map { "\(own)/\($0)" }
    }

    /// The names of all calendars that can be had.
    package var names: [String] {
        let files = listDirectory(own) + (shipped.map(listDirectory) ?? [])
        // The one shipped name with a slash; which hyphens stand for one a file's name does not tell.
        let names = files.filter { $0.hasSuffix(".yaml") }.map { file in
            file == "24-7.yaml" ? "24/7" : String(file.dropLast(".yaml".count))
        }
        return Set(names).sorted()
    }

    /// The files of overrides that are there.
    package var overrideFiles: [String] {
        listDirectory("\(own)/overrides").map { "\(own)/overrides/\($0)" }
    }

    /// All files that an answer may come from, for whoever waits for them to change.
    package var watched: [String] {
        ownFiles + overrideFiles + (shipped == nil || shipped == own ? [] : names.compactMap { file(of: $0) })
    }
}
