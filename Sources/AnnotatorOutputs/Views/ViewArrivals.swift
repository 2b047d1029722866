import Relabel

/// The views of a folder in the order of their source, each with its number within its picture.
final class ViewArrivals: ArrivalSource {
  let traits: SourceTraits?
  var ignored: [String] { source.ignored }
  var bytesRead: Int64 { source.bytesRead }

  private let source: any ViewSource
  private let root: ViewFolder
  private let settings: ViewSettings
  private let options: InputOptions
  private let list: ImageList?
  private var numbers = ViewNumbers()
  private let columns: [Layout.Column]

  /// The views in the inputs, where these are labels of crops.
  ///
  /// - Returns: nil for other inputs.
  /// - Throws: `.usage` where the user has to say more, and what opening the folder throws.
  static func find(
    in paths: [String],
    _ options: InputOptions
  ) throws(RelabelError) -> ViewArrivals? {
    guard let (dialect, folder) = try ViewDialects.found(in: paths, options) else { return nil }
    guard options.stripComponents == 0 else {
      throw RelabelError(
        .usage,
        "--strip-components takes folders off paths of maps; labels of crops have keys of their own"
      )
    }
    do throws(RelabelError) {
      return try ViewArrivals(dialect.open(folder, options), in: folder, options)
    } catch {
      throw error.located(Location(file: folder.path))
    }
  }

  private init(
    _ source: any ViewSource,
    in root: ViewFolder,
    _ options: InputOptions
  ) throws(RelabelError) {
    (self.source, self.root, self.options) = (source, root, options)
    settings = source.settings
    list = try options.imageList.map { lines throws(RelabelError) in try ImageList(lines) }
    traits = try settings.traits(options)
    columns = settings.layout
    if settings.boxType == .pixels, options.pictureSize == nil {
      throw RelabelError(
        .usage,
        "boxes of the dialect '\(settings.dialect)' become fractions of a picture only by its size: please give"
          + " --pictures FOLDER"
      )
    }
  }

  /// Reads one file or batch.
  ///
  /// - Throws: `.io`.
  func read(_ admit: (Arrival) -> Void) throws(RelabelError) -> Bool {
    guard let piece = try source.next() else { return false }
    switch piece.views {
    case .failure(let error):
      // Nobody knows which pictures these were: the file stands for all of them.
      let key =
        piece.path.hasPrefix(root.path) ? String(piece.path.dropFirst(root.path.count)) : piece.path
      admit(Arrival(key: key, entry: .failing(error, at: .path(piece.path)), imageIndex: -1))
    case .success(let views):
      for view in views { admit(arrival(view)) }
    }
    return true
  }

  private func arrival(_ view: StoredView) -> Arrival {
    let (key, index, number): (String, Int64, Int32)
    switch view.picture {
    case .number(let picture):
      (index, number) = (Int64(picture), view.number ?? numbers.next(picture))
      if let list {
        guard picture < list.keys.count else {
          let error = RelabelError(
            .invalidInput,
            "the view is of picture \(picture), the image list has \(list.keys.count) lines"
          )
          return Arrival(key: "\(picture)", entry: .failing(error, at: view.place))
        }
        key = list.keys[picture]
      } else {
        key = "\(picture)"
      }
    case .key(let name):
      key = name
      (index, number) = numbers.next(name)
    case .file(let name, let place):
      (key, index, number) = (name, place, view.number ?? 0)
    }
    do throws(RelabelError) {
      let payload = view.labels.payload(settings.dialect, settings.kind, options.topK)
      let facts = try facts(view, key, number)
      let entry = Entry(place: view.place, payload: payload)
      return Arrival(key: key, entry: entry, imageIndex: index, facts: facts)
    } catch {
      return Arrival(key: key, entry: .failing(error, at: view.place))
    }
  }

  private func facts(
    _ view: StoredView,
    _ key: String,
    _ number: Int32
  ) throws(RelabelError) -> [[UInt8]] {
    var fractions: [Double]?
    if let box = view.box {
      let size = box.needsSize ? try options.pictureSize?(key) : nil
      fractions = try box.fractions(of: size)
    }
    var facts: [[UInt8]] = []
    facts.reserveCapacity(columns.count)
    for column in columns {
      facts.append(
        try view.bytes(
          of: column,
          number: number,
          fractions: fractions,
          operationsBytes: settings.operationsBytes
        )
      )
    }
    return facts
  }
}
