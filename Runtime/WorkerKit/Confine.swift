import CShims
import FunctionCore
import Glibc
import Wire

/// Takes from this process what it is not to have, for good; what could not be taken, or nil.
///
/// Before any other thread is there: a seccomp program rules the thread that installs it and those it starts.
func confine(_ wanted: Confinement) -> String? {
    var stage: UnsafePointer<CChar>?
    let readable = (wanted.readable ?? []).map { UnsafePointer(strdup($0)) }
    defer { readable.forEach { free(UnsafeMutablePointer(mutating: $0)) } }
    let error = wanted.filter.array.withUnsafeBytes { filter in
        wanted.directory.withCString { directory in
            readable.withUnsafeBufferPointer { readable in
                var confinement = swiftlet_confinement()
                confinement.memory = wanted.memory
                confinement.open_files = wanted.openFiles
                confinement.processes = wanted.processes
                confinement.cpu_seconds = wanted.cpuSeconds
                confinement.uid = wanted.uid
                confinement.directory = wanted.directory.isEmpty ? nil : directory
                confinement.filter = filter.baseAddress
                confinement.filter_length = filter.count
                confinement.landlock = wanted.readable != nil
                confinement.network = wanted.network
                confinement.readable = readable.baseAddress
                confinement.readable_count = Int32(readable.count)
                return swiftlet_confine(&confinement, &stage)
            }
        }
    }
    guard error != 0 else { return nil }
    return "\(stage.map { String(cString: $0) } ?? ""): \(String(cString: strerror(error)))"
}
