import Relabel

/// What a file of ml-dr holds of its picture.
struct MLDRFile {
  private struct Sample {
    let params: MLDRParams
    let ids: [UInt32]
    let scores: [Float]
  }

  let container: ListFile.Container
  /// The module of NumPy that the file names.
  let module: NumPyModule?
  private let number: Int
  private let samples: [Sample]

  /// Views.
  var count: Int { samples.count }
  /// Classes of a view.
  var entries: Int { samples.first?.ids.count ?? 0 }

  /// - Parameters:
  ///   - file: the file.
  ///   - number: of its picture, as its name says.
  ///   - config: what the run's configuration says.
  /// - Throws: `.invalidInput` for a file that holds something else.
  init(_ file: ListFile, _ number: Int, _ config: MLDRConfig) throws(RelabelError) {
    try file.finish()
    guard case .tuple(let parts) = file.value, parts.count == 2, case .int(let own) = parts[0],
      let records = parts[1].items, !records.isEmpty
    else {
      throw RelabelError(.invalidInput, "the file does not hold a number and a list of records")
    }
    guard own == number else {
      throw RelabelError(
        .invalidInput,
        "the file is named for picture \(number) and says that it is of picture \(own)"
      )
    }
    var (samples, module): ([Sample], NumPyModule?) = ([], nil)
    for (place, record) in records.enumerated() {
      do throws(RelabelError) {
        samples.append(try Self.sample(record, config))
      } catch {
        throw RelabelError(error.code, "record \(place): \(error.message)")
      }
      module = module ?? samples.last?.params.module
      guard samples.last?.ids.count == samples.first?.ids.count else {
        throw RelabelError(
          .invalidInput,
          "record \(place) has another number of classes than the first"
        )
      }
    }
    (self.samples, self.module) = (samples, module)
    (self.number, container) = (number, file.container)
  }

  private static func sample(
    _ record: PickleValue,
    _ config: MLDRConfig
  ) throws(RelabelError) -> Sample {
    guard let params = record["params"], case .tuple(let pair)? = record["prob"], pair.count == 2,
      let scores = pair[0].items, let classes = pair[1].items, scores.count == classes.count,
      !scores.isEmpty
    else {
      throw RelabelError(.invalidInput, "there are no 'params', or no 'prob' of two equal lists")
    }
    var (ids, floats): ([UInt32], [Float]) = ([], [])
    for (score, id) in zip(scores, classes) {
      guard case .float(let score) = score, case .int(let id) = id, let id = UInt32(exactly: id)
      else { throw RelabelError(.invalidInput, "'prob' is not of floats and class ids") }
      guard Double(Float(score)) == score else {
        throw RelabelError(
          .invalidInput,
          "the probability \(score) is no float32, as those of the dialect 'ml-dr' are"
        )
      }
      ids.append(id)
      floats.append(Float(score))
    }
    return Sample(params: try MLDRParams(params, config), ids: ids, scores: floats)
  }

  /// The views of the file.
  func views(_ path: String) throws(RelabelError) -> [StoredView] {
    samples.enumerated().map { row, sample in
      var view = StoredView(
        .number(number),
        at: .row(of: path, row),
        ViewLabels(ids: sample.ids, scores: sample.scores)
      )
      view.number = Int32(clamping: row)
      view.box = .pixels(sample.params.crop)
      view.isFlipped = sample.params.isFlipped
      view.mixup = sample.params.mixup
      view.cutmix = sample.params.cutmix
      view.operations = ["params": sample.params.json]
      return view
    }
  }
}

/// The parameters of one view: what its columns hold, and the whole.
struct MLDRParams {
  private(set) var crop: [Int] = []
  private(set) var isFlipped: Bool?
  private(set) var mixup: ViewMix?
  private(set) var cutmix: ViewMix?
  private(set) var module: NumPyModule?
  let json: JSON

  /// - Throws: `.invalidInput` for parameters of other types than the writer gives: an export could not restore them.
  init(_ params: PickleValue, _ config: MLDRConfig) throws(RelabelError) {
    json = try params.json()
    var values: [MLDRConfig.Step: PickleValue] = [:]
    let partner: PickleValue
    if config.isCompressed {
      let first = config.mixes ? 1 : 0
      guard let items = params.items, items.count == config.steps.count + first else {
        throw Self.wrong("are no list of \(config.steps.count + first)")
      }
      partner = config.mixes ? items[0] : .none
      for (step, value) in zip(config.steps, items.dropFirst(first)) { values[step] = value }
    } else {
      guard let id = params["id2"] else { throw Self.wrong("have no 'id2'") }
      partner = id
      for step in config.steps { values[step] = params[step.rawValue] }
    }
    var number: Int?
    switch partner {
    case .none: break
    case .int(let value) where value >= 0: number = value
    default: throw Self.wrong("name a partner that is no number")
    }
    for step in config.steps {
      guard let value = values[step] else { throw Self.wrong("lack '\(step.rawValue)'") }
      try read(step, value, partner: number, isCompressed: config.isCompressed)
    }
  }

  private mutating func read(
    _ step: MLDRConfig.Step,
    _ value: PickleValue,
    partner: Int?,
    isCompressed: Bool
  ) throws(RelabelError) {
    switch step {
    case .mixup: mixup = try Self.mixup(value, partner)
    case .cutmix: try readCutmix(value, partner, isCompressed: isCompressed)
    default:
      let both: [PickleValue]
      if isCompressed, partner == nil {
        both = [value]
      } else if isCompressed, case .list(let pair) = value, pair.count == 2 {
        both = pair
      } else if !isCompressed, case .tuple(let pair) = value, pair.count == 2 {
        both = pair
      } else {
        throw Self.wrong("have no pair for '\(step.rawValue)'")
      }
      for (place, value) in both.enumerated() {
        try read(step, value, isOwn: place == 0, isCompressed: isCompressed)
      }
    }
  }

  private mutating func read(
    _ step: MLDRConfig.Step,
    _ value: PickleValue,
    isOwn: Bool,
    isCompressed: Bool
  ) throws(RelabelError) {
    switch (step, value) {
    case (.crop, .tuple(let sides)):
      let box = try Self.box(sides)
      if isOwn { crop = box }
    case (.flip, .bool(let isFlipped)):
      if isOwn { self.isFlipped = isFlipped }
    case (.erase, .none), (.operations, .none): break
    case (.erase, .tuple(let sides)):
      guard sides.count == 4, sides.allSatisfy({ if case .int = $0 { true } else { false } }) else {
        throw Self.wrong("have an erased box that is not top, left, height and width")
      }
    case (.operations, .list(let operations)):
      for operation in operations {
        guard case .tuple(let parts) = operation, parts.count == 2, case .float = parts[1],
          Self.isName(parts[0], isCompressed: isCompressed)
        else { throw Self.wrong("have an operation that is not (operation, magnitude)") }
      }
    default: throw Self.wrong("have a '\(step.rawValue)' of another form than the writer's")
    }
  }

  private static func box(_ sides: [PickleValue]) throws(RelabelError) -> [Int] {
    var box: [Int] = []
    for side in sides {
      guard case .int(let pixels) = side, (0...Int(Int32.max)).contains(pixels) else { break }
      box.append(pixels)
    }
    guard box.count == 4, sides.count == 4, box[2] > 0, box[3] > 0 else {
      throw wrong("have a box that is not top, left, height and width")
    }
    return box
  }

  private static func mixup(
    _ value: PickleValue,
    _ partner: Int?
  ) throws(RelabelError) -> ViewMix? {
    switch value {
    case .none: return nil
    case .float(let lambda) where partner != nil && (0...1).contains(lambda):
      return ViewMix(lambda: lambda, partner: partner)
    default: throw wrong("have a 'mixup' that is no share of a partner")
    }
  }

  /// True for what names an operation: its place in the table of the code, or its name.
  private static func isName(_ value: PickleValue, isCompressed: Bool) -> Bool {
    switch value {
    case .int: isCompressed
    case .string: !isCompressed
    default: false
    }
  }

  private mutating func readCutmix(
    _ value: PickleValue,
    _ partner: Int?,
    isCompressed: Bool
  ) throws(RelabelError) {
    let (lambda, items): (PickleValue?, ArraySlice<PickleValue>)
    switch value {
    case .none: return
    case .list(let parts) where isCompressed: (lambda, items) = (parts.first, parts.dropFirst())
    case .tuple(let parts) where !isCompressed && parts.count == 2:
      guard case .tuple(let sides) = parts[1] else { fallthrough }
      (lambda, items) = (parts[0], sides[...])
    default: (lambda, items) = (nil, [])
    }
    guard case .float(let lambda)? = lambda, items.count == 4, partner != nil,
      (0...1).contains(lambda)
    else { throw Self.wrong("have a 'cutmix' that is no share of a partner and a box") }
    var box: [Int] = []
    for side in items {
      guard case .scalar(let scalar) = side, scalar.scalar == .int64,
        let pixels = Int32(exactly: NumberTable(scalar).number(0))
      else { throw Self.wrong("have a 'cutmix' whose box is not of NumPy's int64") }
      module = scalar.module
      box.append(Int(pixels))
    }
    guard box[0] >= 0, box[1] >= 0, box[0] <= box[2], box[1] <= box[3] else {
      throw Self.wrong("have a 'cutmix' whose box is not top, left, bottom and right")
    }
    cutmix = ViewMix(lambda: lambda, partner: partner, box: box)
  }

  private static func wrong(_ what: String) -> RelabelError {
    RelabelError(.invalidInput, "the parameters \(what)")
  }
}
