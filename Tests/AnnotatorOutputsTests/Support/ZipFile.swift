/// Builds zip files of stored members.
struct ZipFile {
  private var members: [(name: [UInt8], data: [UInt8], declared: Int, offset: Int)] = []
  private var body: [UInt8] = []

  /// Adds a member; it may declare another size than it has.
  mutating func add(_ name: String, _ data: [UInt8], declaring size: Int? = nil) {
    let name = Array(name.utf8)
    let offset = body.count
    let declared = size ?? data.count
    members.append((name, data, declared, offset))
    body += Self.little(0x0403_4B50, 4) + Self.little(20, 2) + [0, 0, 0, 0, 0, 0, 0, 0]
    body += Self.sizes(data, declared) + Self.little(name.count, 2) + [0, 0] + name + data
  }

  var bytes: [UInt8] {
    var directory: [UInt8] = []
    for member in members {
      directory += Self.little(0x0201_4B50, 4) + Self.little(20, 2) + Self.little(20, 2)
      directory += [0, 0, 0, 0, 0, 0, 0, 0] + Self.sizes(member.data, member.declared)
      directory += Self.little(member.name.count, 2) + [UInt8](repeating: 0, count: 12)
      directory += Self.little(member.offset, 4) + member.name
    }
    var end = Self.little(0x0605_4B50, 4) + [0, 0, 0, 0] + Self.little(members.count, 2)
    end += Self.little(members.count, 2) + Self.little(directory.count, 4)
    end += Self.little(body.count, 4) + [0, 0]
    return body + directory + end
  }

  private static func sizes(_ data: [UInt8], _ declared: Int) -> [UInt8] {
    little(Int(crc(data)), 4) + little(declared, 4) + little(declared, 4)
  }

  private static func little(_ value: Int, _ width: Int) -> [UInt8] {
    (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private static func crc(_ data: [UInt8]) -> UInt32 {
    var crc = ~UInt32(0)
    for byte in data {
      crc ^= UInt32(byte)
      for _ in 0..<8 {
        let isOdd = crc & 1 == 1
        crc >>= 1
        if isOdd { crc ^= 0xEDB8_8320 }
      }
    }
    return ~crc
  }
}
