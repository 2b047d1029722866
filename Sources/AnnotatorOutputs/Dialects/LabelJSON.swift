import Relabel

/// JSON objects of labels of whole images: `{PATH: LABEL}`, `{PATH: [LABEL, …]}` or `{PATH: {LABEL: SCORE}}`.
///
/// A label is a number, or an id or a name of the class list. A JSON array is ReaL's form.
struct LabelJSON: Dialect {
  let name = "JSON object of labels"
  let word = "labels-json"
  let extensions: [String] = []
  let endingsOfInputs = [".json"]

  func list(
    _ region: ByteRegion,
    path: () -> String,
    options: InputOptions,
    spool: inout Spool
  ) throws(RelabelError) -> FoundMaps {
    let document = try Self.document(region, path: path())
    if case .array(let lists) = document, options.dialect == nil {
      return try ReaLLists.read(lists, options)
    }
    guard case .object(let members) = document else {
      throw RelabelError(.invalidInput, "this is not a JSON object of paths and labels")
    }
    var builder = LabelSetBuilder(options)
    let labels = LabelWords(options)
    for path in members.keys.sorted() {
      guard let member = members[path] else { continue }
      let key = ImageKey.strippingExtension(LabelTable.plain(path))
      try builder.add(key: key, at: "member '\(path)'") { set throws(RelabelError) in
        try Self.take(member, into: &set, labels)
      }
    }
    return try builder.finish(name, evidence: "a JSON object of paths and labels", kind: nil)
  }

  /// Bytes of the longest document: JSON is held in memory.
  private static let maximumBytes = 16 << 20

  static func document(_ region: ByteRegion, path: String) throws(RelabelError) -> JSON {
    guard region.count <= maximumBytes else {
      throw RelabelError(
        .unsafeInput,
        "the document has \(region.count) bytes, more than the \(maximumBytes) that are held: give a table of lines"
          + " PATH<TAB>LABEL<TAB>LABEL"
      )
    }
    let text = try region.read(limit: maximumBytes, path: path)
    do throws(RelabelError) { return try JSON(parsing: text) } catch {
      throw RelabelError(.invalidInput, "this is not JSON: \(error.message)")
    }
  }

  private static func take(
    _ member: JSON,
    into set: inout LabelSet,
    _ labels: LabelWords
  ) throws(RelabelError) {
    switch member {
    case .array(let items):
      for item in items { set.ids.append(try label(item, labels)) }
    case .object(let scores):
      for word in scores.keys.sorted() {
        guard let score = scores[word]?.number else {
          throw RelabelError(.invalidInput, "the label '\(word)' has a score that is not a number")
        }
        set.ids.append(try labels.classIndex(word))
        set.scores.append(Float(score))
      }
    default:
      set.ids.append(try label(member, labels))
    }
  }

  /// The class of a number or a word.
  static func label(_ item: JSON, _ labels: LabelWords) throws(RelabelError) -> UInt32 {
    if let number = item.integer, let id = UInt32(exactly: number) { return id }
    if let word = item.string { return try labels.classIndex(word) }
    throw RelabelError(.invalidInput, "a label is neither a number from 0 nor a word")
  }
}

/// ReaL's lists: a JSON array with the classes of each image, in the order of the validation images.
///
/// Facts: google-research/reassessed-imagenet at bcd006f, real.json: 50,000 lists, of which 3,163 are empty and the
/// longest has 9 classes. The order of images is that of the sorted file names, the order of classes that of the
/// sorted WordNet ids. Neither stands in the file, so `--images` gives the images. Labels have no scores:
/// `--classes-are` says what they mean. An empty list says nothing of why; such images fail, and may be left out.
struct ReaLLists: Dialect {
  let name = "ReaL lists"
  let word = "real"
  let extensions: [String] = []

  func list(
    _ region: ByteRegion,
    path: () -> String,
    options: InputOptions,
    spool: inout Spool
  ) throws(RelabelError) -> FoundMaps {
    guard case .array(let lists) = try LabelJSON.document(region, path: path()) else {
      throw RelabelError(
        .invalidInput,
        "ReaL's document is a JSON array with a list for each image"
      )
    }
    return try Self.read(lists, options)
  }

  static func read(_ lists: [JSON], _ options: InputOptions) throws(RelabelError) -> FoundMaps {
    guard options.imageList != nil else {
      throw RelabelError(
        .usage,
        "the document has \(lists.count) lists and no names: please give --images, the images in their order"
      )
    }
    var builder = LabelSetBuilder(options)
    let labels = LabelWords(options)
    for (place, list) in lists.enumerated() {
      try builder.add(key: "", at: "list \(place)") { set throws(RelabelError) in
        guard case .array(let items) = list else {
          throw RelabelError(.invalidInput, "it is not a list of classes")
        }
        for item in items { set.ids.append(try LabelJSON.label(item, labels)) }
      }
    }
    return try builder.finish(
      "ReaL lists",
      evidence: "a JSON array of \(lists.count) lists of classes",
      kind: .probability,
      hasKeys: false
    )
  }
}
