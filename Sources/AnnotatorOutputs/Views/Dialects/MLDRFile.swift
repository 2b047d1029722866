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
    _ record: ListValue,
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
