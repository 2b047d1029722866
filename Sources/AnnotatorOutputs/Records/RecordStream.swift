import Relabel

/// Label maps as a program writes them into a pipe, one record after the other (stream.md).
final class RecordStream: ArrivalSource {
  /// What a stream begins with: no text, and damaged by whatever takes it for one.
  static let magic: [UInt8] = [0x89] + Array("RLS\r\n".utf8) + [0x1A] + Array("\n".utf8)
  /// Bytes of a header at most.
  private static let maximumHeader = 1 << 20
  /// Bytes of the reason for leaving an image out, at most: `index.json` keeps all of them.
  private static let maximumReason = 1024

  /// What the user and the header say together.
  let options: InputOptions
  let traits: SourceTraits?
  let ignored: [String] = []
  var bytesRead: Int64 { input.bytesRead }

  private let input: StreamBytes
  private let name: String
  private let fields: [Layout.Column]
  private let operationsBytes: Int
  private var records = 0

  /// Reads the header, and compares it with what the user said.
  ///
  /// - Throws: `.usage` where they contradict each other; `.invalidInput`, `.unsupported` or `.io` for the header.
  init(_ input: StreamBytes, _ name: String, _ options: InputOptions) throws(RelabelError) {
    self.input = input
    self.name = name
    do throws(RelabelError) {
      _ = try input.take(Self.magic.count)
      let length = try Self.number(input.take(4), "the header")
      guard length <= Self.maximumHeader else {
        throw RelabelError(.unsafeInput, "the header declares \(length) bytes")
      }
      let text = try input.take(length)
      guard text.count == length else { throw Self.truncated("the header") }
      let header = try StreamHeader(parsing: text)
      self.options = try Self.agreed(header, options)
      fields = header.fields
      operationsBytes = header.views?.facts.operationsBytes ?? 0
      traits = SourceTraits(header)
    } catch {
      throw error.located(Location(file: name))
    }
  }

  /// Reads one record.
  ///
  /// - Throws: `.invalidInput` for a stream that is damaged or ends before its end record: a writer that died
  ///   leaves one.
  func read(_ admit: (Arrival) -> Void) throws(RelabelError) -> Bool {
    let start = try input.take(4)
    let length = try Self.number(start, "record \(records)")
    guard length >= RecordHead.bytes, length <= Limits.denseBytes else {
      throw RelabelError(.invalidInput, "record \(records) declares \(length) bytes")
    }
    let bytes = try input.take(length)
    guard bytes.count == length else { throw Self.truncated("record \(records)") }
    let head = try RecordHead(bytes, record: records)
    if head.kind == .end {
      guard head.count == records else {
        throw RelabelError(
          .invalidInput,
          "the end record counts \(head.count) records, \(records) have come"
        )
      }
      guard try input.take(1).isEmpty else {
        throw RelabelError(.invalidInput, "bytes follow the end record")
      }
      return false
    }
    admit(try arrival(head, bytes))
    records += 1
    return true
  }

  private func arrival(_ head: RecordHead, _ bytes: [UInt8]) throws(RelabelError) -> Arrival {
    var cursor = ByteCursor(bytes, from: RecordHead.bytes, subject: "record \(records)")
    let keyBytes = try cursor.take(head.keyBytes)
    guard let key = String(exactly: bytes[keyBytes]) else {
      throw RelabelError(.invalidInput, "the key of record \(records) is not UTF-8")
    }
    let place = Place.row(of: name, records)
    if head.kind == .leftOut {
      guard cursor.remaining <= Self.maximumReason else {
        throw RelabelError(
          .invalidInput,
          "the reason in record \(records) has \(cursor.remaining) bytes; it may have "
            + "\(Self.maximumReason)"
        )
      }
      guard let reason = String(exactly: bytes[try cursor.take(cursor.remaining)]) else {
        throw RelabelError(.invalidInput, "the reason in record \(records) is not UTF-8")
      }
      let error = RelabelError(.invalidInput, "its annotator has left it out: \(reason)")
      return Arrival(key: key, entry: .failing(error, at: place))
    }
    do throws(RelabelError) {
      // Before anything is multiplied: the grid's sides are small then.
      if let fault = Limits.fault(height: head.height, width: head.width) {
        throw RelabelError(.invalidInput, fault)
      }
      var facts: [[UInt8]] = []
      for field in fields {
        let shape = MapShape(height: head.height, width: head.width, topK: 1)
        let count =
          field.name == Layout.operations ? operationsBytes : field.rowBytes(shape)
        facts.append(Array(bytes[try cursor.take(count)]))
      }
      let form = try RecordForm(head, options)
      guard cursor.remaining == form.bytes else {
        throw RelabelError(
          .invalidInput,
          "the record has \(cursor.remaining) bytes of labels; \(form.words) take \(form.bytes)"
        )
      }
      let region = ByteRegion(
        storage: .memory(bytes),
        offset: cursor.position,
        count: cursor.remaining
      )
      let entry = Entry(place: place, payload: .map(form.description, region))
      return Arrival(key: key, entry: entry, facts: facts)
    } catch {
      return Arrival(key: key, entry: .failing(error, at: place))
    }
  }

  /// The options with what the header says; two sources that speak of one thing must agree.
  private static func agreed(
    _ header: StreamHeader,
    _ options: InputOptions
  ) throws(RelabelError) -> InputOptions {
    func refuse(_ what: String, _ own: String, _ given: String) -> RelabelError {
      RelabelError(
        .usage,
        "the stream's header says that \(what) \(own), the options say \(given); leave the option out or mend the"
          + " program that writes the records"
      )
    }
    if let given = options.numClasses, given != header.numClasses {
      throw refuse("the number of classes is", "\(header.numClasses)", "\(given)")
    }
    if let given = options.scoreKind, given != header.scoreKind {
      throw refuse("the score kind is", header.scoreKind.rawValue, given.rawValue)
    }
    guard options.stripComponents == 0 else {
      throw RelabelError(
        .usage,
        "--strip-components takes folders off paths of files; records have keys"
      )
    }
    var agreed = options
    agreed.numClasses = header.numClasses
    agreed.scoreKind = header.scoreKind
    return agreed
  }

  private static func number(_ bytes: [UInt8], _ what: String) throws(RelabelError) -> Int {
    guard bytes.count == 4 else { throw truncated(what) }
    return bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  private static func truncated(_ what: String) -> RelabelError {
    RelabelError(
      .invalidInput,
      "the stream of records ends in or before \(what), without its end record: the program that writes it has"
        + " stopped; nothing unfinished is kept"
    )
  }
}

extension Layout.Column {
  /// Bytes that an optional dataset holds for one map.
  fileprivate func rowBytes(_ shape: MapShape) -> Int {
    rowShape(shape, numClasses: 0).reduce(types.map(\.size).max() ?? 0, *)
  }
}

extension SourceTraits {
  /// What the header of a stream settles.
  fileprivate init(_ header: StreamHeader) {
    self.init(
      scoreKind: header.scoreKind,
      numClasses: header.numClasses,
      isReLabelDialect: false,
      dialects: ["records"]
    )
    orientation = header.orientation
    columns = header.fields
    isCentred = header.isCentred
    views = header.views
  }
}
