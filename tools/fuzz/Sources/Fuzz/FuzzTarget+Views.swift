@testable import AnnotatorOutputs
import Glibc
import Relabel

extension FuzzTarget {
  /// Labels of crops: the first byte says which file of which dialect the others are; of a zip, its pickle.
  static let views: FuzzTarget = {
    let folders = ViewScratch.all.map { ViewScratch($0) }
    return FuzzTarget { bytes in
      guard let first = bytes.first else { return }
      folders[Int(first) % folders.count].run(Array(bytes.dropFirst()))
    }
  }()
}

/// A folder of a dialect, one file of which is replaced again and again.
private struct ViewScratch: Sendable {
  struct Kind {
    let dialect: String
    let file: String
    var isZip = true
    /// Files beside it: pickles where their names end in tar or pt.
    var others: [String: String] = [:]
  }

  static let dictionary = "\u{80}\u{2}}X\u{1}\u{0}\u{0}\u{0}0](K\u{0}K\u{1}es."
  static let all = [
    Kind(dialect: "sre2l", file: "epoch_0/batch_0.tar"),
    Kind(dialect: "edc", file: "epoch_0/batch_0.tar"),
    Kind(
      dialect: "lpld",
      file: "epoch_0/batch_0.tar",
      others: ["sampler_indices_epoch.json": #"{"0":[0,1]}"#]
    ),
    Kind(
      dialect: "lpqld",
      file: "batch_0.tar",
      others: ["sampler_indices_batch.json": #"{"0":[0,1]}"#]
    ),
    Kind(dialect: "hald", file: "epoch_0.tar", others: ["sampler_indices_dict.pt": dictionary]),
    Kind(dialect: "hald", file: "sampler_indices_dict.pt", others: ["epoch_0.tar": dictionary]),
    Kind(dialect: "fkd", file: "a/x.tar"),
    Kind(dialect: "ml-dr", file: "0.pth.tar", isZip: false, others: ["config.pth.tar": config]),
    Kind(dialect: "ml-dr", file: "config.pth.tar", others: ["0.pth.tar": dictionary]),
    Kind(
      dialect: "lpld",
      file: "sampler_indices_epoch.json",
      isZip: false,
      others: ["epoch_0/batch_0.tar": dictionary]
    ),
    Kind(
      dialect: "tinyvit",
      file: "logits_top2_epoch0/rank0-values.bin",
      isZip: false,
      others: ["logits_top2_epoch0/rank0-keys.txt": "0\n1\n"]
    ),
  ]
  /// A dictionary 'reinforce' of 'compress' and of augmentations without settings.
  static let config =
    "\u{80}\u{2}}\(text("reinforce"))}(\(text("compress"))\u{88}\(text("image_augmentation"))}("
    + "\(text("random_resized_crop"))}\(text("random_horizontal_flip"))}\(text("mixup"))}\(text("cutmix"))}uus."

  private let kind: Kind
  private let folder: String

  private static func text(_ text: String) -> String {
    "X\(Unicode.Scalar(UInt8(text.utf8.count)))\u{0}\u{0}\u{0}\(text)"
  }

  init(_ kind: Kind) {
    self.kind = kind
    var template = Array("/dev/shm/relabel-fuzz-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("/dev/shm can't be written") }
    folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    for (name, text) in kind.others {
      let bytes = text.unicodeScalars.map { UInt8($0.value) }
      write(name, name.hasSuffix(".tar") || name.hasSuffix(".pt") ? StoredZip.torch(bytes) : bytes)
    }
  }

  private func write(_ name: String, _ bytes: [UInt8]) {
    let path = "\(folder)/\(name)"
    for place in path.indices where path[place] == "/" && place > path.startIndex {
      _ = mkdir(String(path[..<place]), 0o700)
    }
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    precondition(descriptor >= 0, "/dev/shm can't be written")
    precondition(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
    close(descriptor)
  }

  func run(_ bytes: [UInt8]) {
    write(kind.file, kind.isZip ? StoredZip.torch(bytes) : bytes)
    var options = InputOptions(imageList: ["a/x.JPEG", "b.JPEG"], spoolDirectory: "/dev/shm")
    options.dialect = kind.dialect
    options.views.size = ViewFacts.Size(height: 224, width: 224)
    options.pictureSize = { _ throws(RelabelError) in ViewFacts.Size(height: 64, width: 64) }
    guard let output = try? AnnotatorOutput.open([folder], options: options),
      case .arriving(let stream) = output.images
    else { return }
    while let image = try? stream.next() {
      guard let map = try? image.load() else { continue }
      precondition(map.classIndex.count == map.shape.topK && map.score.count == map.shape.topK)
      precondition(image.facts.count == output.traits.columns.count)
    }
  }
}

/// A zip of stored members whose checksums are right.
private enum StoredZip {
  /// A pickle, and storages of zeros and small numbers for its tensors.
  static func torch(_ pickle: [UInt8]) -> [UInt8] {
    var members = [("x/data.pkl", pickle)]
    for key in 0..<10 {
      members.append(("x/data/\(key)", (0..<512).map { UInt8($0 % 8 == 0 ? key & 1 : 0) }))
    }
    return zip(members)
  }

  private static func zip(_ members: [(name: String, bytes: [UInt8])]) -> [UInt8] {
    var (body, directory): ([UInt8], [UInt8]) = ([], [])
    for (name, bytes) in members {
      let sizes = little(Int(crc(bytes)), 4) + little(bytes.count, 4) + little(bytes.count, 4)
      let head =
        little(20, 2) + [UInt8](repeating: 0, count: 8) + sizes + little(name.utf8.count, 2)
      directory += little(0x0201_4B50, 4) + little(20, 2) + head + [UInt8](repeating: 0, count: 12)
      directory += little(body.count, 4) + Array(name.utf8)
      body += little(0x0403_4B50, 4) + head + [0, 0] + Array(name.utf8) + bytes
    }
    let count = little(members.count, 2)
    return body + directory + little(0x0605_4B50, 4) + [0, 0, 0, 0] + count + count
      + little(directory.count, 4) + little(body.count, 4) + [0, 0]
  }

  private static func little(_ value: Int, _ width: Int) -> [UInt8] {
    (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
  }

  private static func crc(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
  }
}
