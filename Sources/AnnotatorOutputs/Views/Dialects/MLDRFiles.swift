import Relabel

/// Files of ml-dr, one for each picture, and the configuration without which they can't be read.
///
/// Source: apple/ml-dr at a21113c779714b68bcc8b6518f2a4ad149b29f00, reinforce.py and dr/.
///
/// `<number in the ImageFolder>.pth.tar` is a zip of `torch.save`, or a zlib stream of joblib, with (number, [{'params',
/// 'prob': (probabilities, ids)}, …]); `config.pth.tar` holds the dictionary of the configuration file.
///
/// - Compressed parameters are a list: the number of the partner or None, a value for each augmentation in the order of
///   the code, then lambda of MixUp, then CutMix as [lambda, top, left, bottom, right]. With a partner each value but
///   the last two is a pair, the view's own and the partner's. Others are a dictionary of (own, partner).
/// - Crops are whole pixels (top, left, height, width); MixUp comes before CutMix, and both may be in one record. The
///   partner may be the picture itself, in another crop.
/// - Classes are not sorted. Probabilities are doubles that hold floats.
/// - The four sides of a box are NumPy numbers.
///
/// `operations` has the whole parameters, whose types follow from their places: crops, erased boxes and operations
/// (place in the code's table or name, float) are tuples; pairs and CutMix are lists in a list and tuples in a
/// dictionary, where CutMix is (lambda, (top, left, bottom, right)); the sequence of operations is a list.
struct MLDRFiles: ViewDialect {
  fileprivate static let config = "config.pth.tar"

  let names = ["ml-dr", "mldr"]

  func recognises(_ folder: ViewFolder) throws(RelabelError) -> Bool { folder.has(Self.config) }

  func open(_ folder: ViewFolder, _ options: InputOptions) throws(RelabelError) -> any ViewSource {
    try MLDRSource(folder, options)
  }
}

/// The views of ml-dr's files, picture by picture.
private final class MLDRSource: ViewSource {
  /// Files that are looked into for what only some of them say.
  private static let looked = 16

  private(set) var settings = ViewSettings(dialect: "ml-dr")
  let ignored: [String]
  private(set) var bytesRead: Int64 = 0

  private let root: ViewFolder
  private let config: MLDRConfig
  private var numbers: ArraySlice<Int>
  private var entries = 0

  init(_ root: ViewFolder, _ options: InputOptions) throws(RelabelError) {
    self.root = root
    let (numbers, others) = try root.numbered("", ".pth.tar")
    self.numbers = numbers[...]
    ignored = others.filter { $0 != MLDRFiles.config }.map { root.path + $0 }
    guard root.has(MLDRFiles.config) else {
      throw RelabelError(
        .usage,
        "there is no '\(MLDRFiles.config)' in the folder, without which nobody knows what the files of the dialect"
          + " 'ml-dr' mean"
      )
    }
    let path = root.path + MLDRFiles.config
    do throws(RelabelError) {
      config = try MLDRConfig(ListFile(path).value)
    } catch {
      throw error.located(Location(file: path))
    }
    try settle(numbers)
  }

  private func settle(_ numbers: [Int]) throws(RelabelError) {
    var first: MLDRFile?
    var module: NumPyModule?
    for number in numbers.prefix(Self.looked) where module == nil {
      let path = path(of: number)
      do throws(RelabelError) {
        let file = try MLDRFile(ListFile(path), number, config)
        first = first ?? file
        module = file.module
      } catch {
        // Told when the file is read in its turn.
        if first == nil, number == numbers.first { throw error.located(Location(file: path)) }
      }
    }
    guard let first else {
      throw RelabelError(.usage, "there is no file of the dialect 'ml-dr' in the folder")
    }
    entries = first.entries
    settings.columns = [Layout.viewBox, Layout.operations]
    settings.boxType = .pixels
    settings.chain = ["crop", "resize"]
    for step in config.steps {
      switch step {
      case .crop: break
      case .flip:
        settings.columns.insert(Layout.viewFlip)
        settings.chain.append("flip")
      case .operations, .erase:
        if settings.chain.last != "operations" { settings.chain.append("operations") }
      case .mixup:
        settings.columns.formUnion([Layout.mixupLambda, Layout.mixupPartner])
        settings.chain.append("mixup")
      case .cutmix:
        settings.columns.formUnion([Layout.cutmixLambda, Layout.cutmixBox, Layout.cutmixPartner])
        settings.chain.append("cutmix")
      }
    }
    settings.operationsBytes = 2048
    settings.operationsSchema = "relabel-views/ml-dr"
    settings.rowOrder = .image
    settings.numClasses = config.numClasses
    settings.kind = .probability
    settings.size = config.size
    settings.rowsTogether = first.count
    settings.source["container"] = .string(first.container.rawValue)
    settings.source["config"] = .string(config.text)
    settings.source["params"] = .string(config.isCompressed ? "list" : "dictionary")
    if let module { settings.source["numpy"] = .string(module.rawValue) }
  }

  private func path(of number: Int) -> String { "\(root.path)\(number).pth.tar" }

  func next() throws(RelabelError) -> ViewPiece? {
    guard let number = numbers.popFirst() else { return nil }
    let path = path(of: number)
    do throws(RelabelError) {
      let list = try ListFile(path)
      bytesRead += Int64(list.bytes)
      let file = try MLDRFile(list, number, config)
      guard file.entries == entries else {
        throw RelabelError(
          .invalidInput,
          "the views have \(file.entries) classes, those of the first file \(entries): give each run by itself"
        )
      }
      return ViewPiece(path: path, views: .success(try file.views(path)))
    } catch {
      return ViewPiece(path: path, views: .failure(error))
    }
  }
}
