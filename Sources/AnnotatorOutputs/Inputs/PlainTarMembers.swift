import Relabel

/// The members that a tar file of files with short names begins with.
///
/// libarchive reads all contents on its way and takes several times as long, during which nothing else can be done.
/// Here only what leaves no doubt is read: an uncompressed member of type 0 whose name is its header's, in ASCII.
/// Where anything else comes, libarchive goes on.
struct PlainTarMembers {
  /// Where the header lies of the member that `next` gives; at the end, of the one to go on with.
  private(set) var position = 0
  private let file: OpenFile
  private var ahead: PlainTarHeader?
  /// What lies before was announced to the system.
  private var announced = 0

  /// Contents of this size and more are passed over.
  private static let largest = 64 << 10
  private static let announcement = 4 << 20

  init(_ file: OpenFile) {
    self.file = file
    ahead = header(at: 0)
  }

  /// The next member, and where its contents begin; nil where it or the one behind it is not plain.
  ///
  /// So libarchive is left one sound member to begin with, and the end of the file.
  mutating func next() -> (member: ArchiveReader.Member, contents: Int)? {
    guard let header = ahead else { return nil }
    let contents = position + PlainTarHeader.bytes
    let (padded, overflow) = header.size.addingReportingOverflow(PlainTarHeader.bytes - 1)
    guard !overflow, padded <= file.size - contents else { return nil }
    let end = contents + padded / PlainTarHeader.bytes * PlainTarHeader.bytes
    announce(end, after: header.size)
    guard let behind = self.header(at: end) else { return nil }
    (position, ahead) = (end, behind)
    let member = ArchiveReader.Member(
      name: header.name,
      kind: .regular,
      size: header.size,
      isSparse: false,
      hardLink: nil
    )
    return (member, contents)
  }

  private func header(at offset: Int) -> PlainTarHeader? {
    withUnsafeTemporaryAllocation(byteCount: PlainTarHeader.bytes, alignment: 8) { block in
      let count = file.readSome(at: offset, into: block)
      return count == block.count ? PlainTarHeader(UnsafeRawBufferPointer(block)) : nil
    }
  }

  /// Small contents are read ahead: the disk gives all of them as fast as the headers between them.
  private mutating func announce(_ offset: Int, after size: Int) {
    guard size < Self.largest, offset >= announced else { return }
    announced = offset + Self.announcement
    file.expectReading(at: offset, count: Self.announcement)
  }
}

/// What the header of a plain member says (POSIX.1-1988 "ustar", and GNU's form of it).
struct PlainTarHeader {
  /// Headers and the padding of contents are blocks of this size.
  static let bytes = 512

  let name: [UInt8]
  let size: Int

  /// Nil for a block that anything has to be interpreted in.
  init?(_ block: UnsafeRawBufferPointer) {
    let magic = UInt64(littleEndian: block.loadUnaligned(fromByteOffset: 257, as: UInt64.self))
    let isPlain =
      block[156] == UInt8(ascii: "0")
      // "ustar", a zero and the version "00"; "ustar" and two spaces.
      && (magic == 0x30_30_00_72_61_74_73_75 || magic == 0x00_20_20_72_61_74_73_75)
      // No name of a link, no front part of a name, none of GNU's fields in its place.
      && block[157] == 0 && block[345..<500].allSatisfy { $0 == 0 }
      // Mode, owner, group, time and the numbers of a device; those are mostly left out.
      && [100, 108, 116, 329, 337].allSatisfy { Self.isNumber(block, $0..<$0 + 8) }
      && Self.isNumber(block, 136..<148)
    guard isPlain, let size = Self.number(block, 124..<136),
      let checksum = Self.number(block, 148..<156), checksum == Self.checksum(block)
    else { return nil }
    var count = 0
    while count < 100, block[count] != 0 { count += 1 }
    // A file whose name ends with a slash is a folder; one whose name begins with "._" may belong to another.
    guard 1..<100 ~= count, block[count - 1] != UInt8(ascii: "/"),
      (0..<count).allSatisfy({ block[$0] > 0x20 && block[$0] < 0x7F && !Self.isAside(block, $0) })
    else { return nil }
    name = Array(block[..<count])
    self.size = size
  }

  /// True where a part of the name begins with "._".
  private static func isAside(_ block: UnsafeRawBufferPointer, _ place: Int) -> Bool {
    block[place] == UInt8(ascii: ".") && block[place + 1] == UInt8(ascii: "_")
      && (place == 0 || block[place - 1] == UInt8(ascii: "/"))
  }

  /// Octal digits, and only zeros and spaces behind them.
  private static func number(_ block: UnsafeRawBufferPointer, _ field: Range<Int>) -> Int? {
    var (place, value) = (field.lowerBound, 0)
    while place < field.upperBound, block[place] & 0xF8 == 0x30 {
      value = value << 3 | Int(block[place] & 7)
      place += 1
    }
    let rest = place..<field.upperBound
    guard place > field.lowerBound, !rest.isEmpty,
      rest.allSatisfy({ block[$0] == 0 || block[$0] == UInt8(ascii: " ") })
    else { return nil }
    return value
  }

  /// True for a number and for zeros in its place: what libarchive begins with has nothing else.
  private static func isNumber(_ block: UnsafeRawBufferPointer, _ field: Range<Int>) -> Bool {
    number(block, field) != nil || field.allSatisfy { block[$0] == 0 }
  }

  /// The sum of all bytes, those of the checksum itself taken as spaces.
  private static func checksum(_ block: UnsafeRawBufferPointer) -> Int {
    var sum: UInt32 = 8 * 0x20
    for place in 0..<bytes { sum &+= UInt32(block[place]) }
    for place in 148..<156 { sum &-= UInt32(block[place]) }
    return Int(sum)
  }
}
