import Glibc

// Calls on files with errors that name the path, the call and the reason. All of them block.

/// Makes a directory and those above it; only the owner may enter what is made.
package func makeDirectory(_ path: String) throws {
    if path.isEmpty || mkdir(path, 0o700) == 0 || errno == EEXIST { return }
    guard errno == ENOENT else { throw fileError("mkdir", path) }
    try makeDirectory(parent(of: path))
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw fileError("mkdir", path) }
}

/// Makes a file where it is missing, and keeps everybody but its owner from it and what SQLite puts beside it.
package func makePrivate(_ path: String) throws {
    let made = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    if made >= 0 {
        close(made)
        return
    }
    guard errno == EEXIST, chmod(path, 0o600) == 0 else { throw fileError("open", path) }
    // These two SQLite makes with the mode of the file itself.
    for suffix in ["-wal", "-shm"] where chmod(path + suffix, 0o600) != 0 && errno != ENOENT {
        throw fileError("chmod", path + suffix)
    }
}

/// The path up to the last slash.
package func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// The size of a regular file, or nil.
package func fileSize(_ path: String) -> Int? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
}

/// The names in a directory, without the two dots; none where there is no directory.
package func names(in directory: String) throws -> [String] {
    guard let stream = opendir(directory) else {
        if errno == ENOENT { return [] }
        throw fileError("opendir", directory)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        // SAFETY: the entry lives until the next readdir, and its name ends with a zero inside of it.
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}

/// Makes the names in a directory durable.
package func syncDirectory(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw fileError("open", path) }
    defer { Glibc.close(descriptor) }
    guard fsync(descriptor) == 0 else { throw fileError("fsync", path) }
}

/// Writes all of `bytes` to a descriptor.
package func writeAll(_ descriptor: Int32, _ bytes: [UInt8], path: String) throws {
    // SAFETY: the buffer is used inside the closure only, and the range stays below its count.
    try bytes.withUnsafeBytes { buffer in
        var done = 0
        while done < buffer.count {
            let count = Glibc.write(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw fileError("write", path) }
            done += count
        }
    }
}

/// Reads up to `limit` bytes at an offset; fewer only at the end of the file.
package func readAt(_ descriptor: Int32, _ offset: Int, limit: Int, path: String) throws -> [UInt8] {
    // SAFETY: each read is bounded by what is left of the buffer; `done` bytes are initialised in the end.
    try [UInt8](unsafeUninitializedCapacity: limit) { buffer, done in
        while done < limit {
            let target = buffer.baseAddress?.advanced(by: done)
            let count = pread(descriptor, target, limit - done, off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw fileError("pread", path) }
            if count == 0 { break }
            done += count
        }
    }
}

/// The error that `errno` names now.
package func fileError(_ call: String, _ path: String) -> StorageError {
    let code = errno
    let reason = String(cString: strerror(code))
    if code == ENOSPC || code == EDQUOT {
        return StorageError(.full, "\(path): the disk is full; free space, and try again")
    }
    if code == ENOENT { return StorageError(.notFound, "\(path): \(call): \(reason)") }
    return StorageError(.failed, "\(path): \(call) failed: \(reason); check the disk and the permissions")
}
