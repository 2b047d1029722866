import Glibc
package import RelabelFormat
internal import RelabelSystem

/// One message of a helper process: a kind and some bytes.
package struct HelperMessage: Hashable, Sendable {
  /// What the bytes are.
  package enum Kind: UInt8, Hashable, Sendable {
    /// JSON whose meaning is the task's.
    case fact = 1
    /// 64-bit words, little-endian; the array they belong to comes in the `fact` before.
    case words
    /// Nothing: the helper is at work.
    case progress
    /// Nothing: the helper has finished, and all before it is complete.
    case done
    /// Bytes whose meaning is the task's.
    case bytes
  }

  package let kind: Kind
  package let bytes: [UInt8]

  /// No honest helper sends longer messages.
  static let largest = 1 << 24
  /// Words of one message.
  private static let wordsPerMessage = 1 << 16

  package init(_ kind: Kind, _ bytes: [UInt8] = []) {
    self.kind = kind
    self.bytes = bytes
  }

  /// A message of JSON.
  package init(_ fact: JSON) throws(RelabelError) { self.init(.fact, try fact.canonical()) }

  /// The JSON of a fact.
  package func json() throws(RelabelError) -> JSON { try JSON(parsing: bytes) }

  /// Messages that hold an array.
  package static func words(_ values: [UInt64]) -> [HelperMessage] {
    stride(from: 0, to: values.count, by: wordsPerMessage).map { start in
      var bytes: [UInt8] = []
      for value in values[start..<min(start + wordsPerMessage, values.count)] {
        withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
      }
      return HelperMessage(.words, bytes)
    }
  }

  /// The array that a message holds.
  package var words: [UInt64] {
    bytes.withUnsafeBytes { raw in
      (0..<raw.count / 8).map {
        UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self))
      }
    }
  }
}

/// Sends messages: kind (1 byte), length (4 bytes, little-endian), bytes.
package struct MessageWriter {
  private let output: Int32

  init(_ output: Int32) { self.output = output }

  /// - Throws: `.io` if the other end of the pipe is closed.
  package func send(_ message: HelperMessage) throws(RelabelError) {
    var bytes = [message.kind.rawValue]
    withUnsafeBytes(of: UInt32(message.bytes.count).littleEndian) { bytes += $0 }
    bytes += message.bytes
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { write(output, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw .system("the message can't be sent") }
      sent += count
    }
  }
}

/// Receives what a `MessageWriter` sends; the sender is not trusted.
struct MessageReader {
  enum Next {
    case message(HelperMessage)
    /// The sender has closed its end.
    case end
    /// Nothing came for too long.
    case silence
  }

  private let input: Int32
  private let silence: Int32
  private var buffer: [UInt8] = []
  private var taken = 0

  init(_ input: Int32, silence: Int) {
    self.input = input
    // `poll` counts milliseconds in 32 bits, which are 24 days.
    self.silence = Int32(clamping: min(silence, .max / 1000) * 1000)
  }

  /// Waits for the next message.
  ///
  /// - Throws: `.corrupt` for bytes that are none.
  mutating func next() throws(RelabelError) -> Next {
    guard let head = try take(5) else { return wasSilent ? .silence : .end }
    let length = head[1...].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard let kind = HelperMessage.Kind(rawValue: head[0]), length <= HelperMessage.largest else {
      throw RelabelError(.corrupt, "no message begins like this")
    }
    guard let bytes = try take(length) else { return wasSilent ? .silence : .end }
    return .message(HelperMessage(kind, bytes))
  }

  /// True when nothing has come that was not handed out.
  var isEmpty: Bool { taken == buffer.count }

  private var wasSilent = false

  /// The next bytes, or nil at the end or after too long a silence.
  private mutating func take(_ count: Int) throws(RelabelError) -> [UInt8]? {
    while buffer.count - taken < count {
      guard try fill() else { return nil }
    }
    let bytes = Array(buffer[taken..<taken + count])
    taken += count
    if taken > 1 << 16 {
      buffer.removeFirst(taken)
      taken = 0
    }
    return bytes
  }

  private mutating func fill() throws(RelabelError) -> Bool {
    var waiting = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
    let ready = poll(&waiting, 1, silence)
    if ready < 0 && errno == EINTR { return true }
    guard ready > 0 else {
      wasSilent = true
      return false
    }
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    let count = read(input, &piece, piece.count)
    if count < 0 {
      if errno == EINTR { return true }
      throw .system("the helper can't be heard")
    }
    buffer += piece[..<count]
    return count > 0
  }
}
