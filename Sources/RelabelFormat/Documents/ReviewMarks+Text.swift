extension ReviewMarks {
  /// The bytes of the table.
  public func encoded() -> [UInt8] {
    var text = Self.header + "\n"
    for key in keys {
      let mark = self[key]
      text += "\(Self.escaped(key))\t\(mark?.verdict?.rawValue ?? "")\t"
      text += Self.escaped(mark?.note ?? "") + "\n"
    }
    return Array(text.utf8)
  }

  /// Reads the table.
  ///
  /// - Parameters:
  ///   - bytes: of the file.
  ///   - file: what errors call it.
  /// - Throws: `.usage` naming the line: for what is no table of marks, and for two lines that say different things of
  ///   one image.
  public init(parsing bytes: [UInt8], file: String) throws(RelabelError) {
    let lines = try TextList.lines(bytes, file: file)
    guard let first = lines.first else { return }
    guard Self.isHeader(first) else {
      throw RelabelError(
        .usage,
        "this is no table of marks: its first line is not 'key', 'mark' and 'note' with tabs between them",
        at: Location(file: file)
      )
    }
    try read(lines.dropFirst(), file) { line throws(RelabelError) in try Self.fields(of: line) }
  }

  /// Reads which images have to be left out: from the table, or from a list with a key in each line.
  ///
  /// - Parameters:
  ///   - bytes: of the file.
  ///   - file: what errors call it.
  /// - Throws: `.usage` as for the table, and where nothing or too much is to be left out.
  public init(exclusions bytes: [UInt8], file: String) throws(RelabelError) {
    let lines = try TextList.lines(bytes, file: file)
    if lines.first.map(Self.isHeader) == true {
      try self.init(parsing: bytes, file: file)
    } else {
      self.init()
      try read(lines[...], file) { line throws(RelabelError) in
        guard !line.utf8.contains(UInt8(ascii: "\t")) else {
          throw RelabelError(
            .usage,
            "holds a tab: a list has a key in each line and nothing else, a table of marks begins with the line 'key',"
              + " 'mark' and 'note'"
          )
        }
        return (TextList.unquoted(line), Mark(.exclude))
      }
    }
    let count = count(.exclude)
    guard count > 0 else {
      throw RelabelError(
        .usage,
        "no image is marked 'exclude': leave the option out to keep all images",
        at: Location(file: file)
      )
    }
    guard count <= Self.maximumExclusions else {
      throw RelabelError(
        .usage,
        "\(count) images are marked 'exclude'; an index can name \(Self.maximumExclusions) of them: pack the images"
          + " that stay, by a list of them, instead",
        at: Location(file: file)
      )
    }
  }

  private static func isHeader(_ line: String) -> Bool {
    line.split(separator: "\t", omittingEmptySubsequences: false)
      .map { TextList.unquoted($0) }.starts(with: ["key", "mark"])
  }

  /// Takes lines one by one; what `parse` throws gets its line number.
  private mutating func read(
    _ lines: ArraySlice<String>,
    _ file: String,
    _ parse: (String) throws(RelabelError) -> (key: String, mark: Mark)
  ) throws(RelabelError) {
    var places: [ImageKey.Exact: Int] = [:]
    for (place, line) in zip(lines.indices, lines) {
      do throws(RelabelError) {
        let (key, mark) = try parse(line)
        if let fault = ImageKey.fault(key) { throw RelabelError(.usage, "holds no key: \(fault)") }
        if let earlier = places.updateValue(place, forKey: ImageKey.Exact(key)),
          self[key] ?? Mark(nil) != mark
        {
          throw RelabelError(
            .usage,
            "says something else of '\(key)' than line \(earlier + 1): keep one of the two"
          )
        }
        set(mark, of: key)
      } catch {
        throw RelabelError(
          .usage,
          "line \(place + 1) \(error.message)",
          at: Location(file: file)
        )
      }
    }
  }

  /// The fields of a line; blanks at its end, and so its empty fields, are gone already.
  private static func fields(of line: String) throws(RelabelError) -> (key: String, mark: Mark) {
    let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      .map { TextList.unquoted($0) }
    guard fields.count <= 3 else {
      throw RelabelError(.usage, "has \(fields.count) fields, not 3: a tab in a note is '\\t'")
    }
    let word = fields.count > 1 ? fields[1] : ""
    let verdict = Verdict(rawValue: word)
    guard verdict != nil || word.isEmpty else {
      let words = Verdict.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
      throw RelabelError(.usage, "has the mark '\(word)'; marks are \(words), or nothing")
    }
    let note = try unescaped(fields.count > 2 ? fields[2] : "")
    if let fault = fault(ofNote: note) { throw RelabelError(.usage, "can't be kept: \(fault)") }
    return (try unescaped(fields[0]), Mark(verdict, note: note))
  }

  /// A field of the table: on one line, with nothing at its ends that a reader of lists would take off.
  private static func escaped(_ text: String) -> String {
    var field = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": field += "\\\\"
      case "\t": field += "\\t"
      case "\n": field += "\\n"
      case "\r": field += "\\r"
      case "\"" where field.isEmpty: field += "\\\""
      default: field.unicodeScalars.append(character)
      }
    }
    return field.hasSuffix(" ") ? field.dropLast() + "\\s" : field
  }

  private static func unescaped(_ field: String) throws(RelabelError) -> String {
    var text = ""
    var rest = field.unicodeScalars[...]
    while let character = rest.popFirst() {
      guard character == "\\" else {
        text.unicodeScalars.append(character)
        continue
      }
      switch rest.popFirst() {
      case "\\": text += "\\"
      case "t": text += "\t"
      case "n": text += "\n"
      case "r": text += "\r"
      case "s": text += " "
      case "\"": text += "\""
      default:
        throw RelabelError(.usage, "has a backslash that begins nothing; a backslash is '\\\\'")
      }
    }
    return text
  }
}
