import FunctionCore
import Glibc
import Wire

/// Becomes another program, confined as the host wants it: what speaks the Lambda Runtime API starts so.
///
/// The host's `Hello` lies in the file on descriptor 3; `words` are a working directory, a program and its arguments.
func launch(_ words: [String]) -> Never {
    let hello = greeting()
    close(3)
    if let fault = confine(hello.confinement) { leave(126, "it could not be confined: \(fault)") }
    guard chdir(words[0]) == 0 else {
        leave(126, "\(words[0]) cannot be entered: \(String(cString: strerror(errno)))")
    }
    signal(SIGPIPE, SIG_DFL)
    var arguments: [UnsafeMutablePointer<CChar>?] = words.dropFirst().map { strdup($0) } + [nil]
    var environment: [UnsafeMutablePointer<CChar>?] =
        hello.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    execve(words[1], &arguments, &environment)
    leave(127, "\(words[1]) cannot be started: \(String(cString: strerror(errno)))")
}

private func greeting() -> Hello {
    let decoder = FrameDecoder()
    do {
        while true {
            if let frame = try decoder.next() { return try Hello(frame.payload) }
            if decoder.fill({ readSome(3, into: $0).count }) <= 0 { break }
        }
    } catch {
        leave(70, "the host's words cannot be read: \(error)")
    }
    leave(70, "the host has said nothing on descriptor 3")
}
