import Relabel

/// The dialect of ReLabel and TokenLabeling: a tensor [2, k, H, W] of scores and class ids, or one of each.
struct ReLabelTensor: Dialect {
  /// Classes that both score.
  static let classes: Int = 1000

  let name = "ReLabel tensor"
  let word = "relabel"
  let extensions = [".pt", ".pth", ".th", ".torch"]

  func evidence(in head: [UInt8]) -> String? {
    if TorchFile.beginsLegacy(head) { return "a file of torch.save before 1.6" }
    guard head.starts(with: "PK\u{3}\u{4}".utf8), head.count > 30 else { return nil }
    let count = Int(head[26]) | Int(head[27]) << 8
    let name = String(decoding: head.dropFirst(30).prefix(count), as: UTF8.self)
    return ["/data.pkl", "/.format_version", "/version", "/byteorder", "/.data"]
      .contains(where: name.contains) ? "a zip file of torch.save" : nil
  }

  func list(
    _ region: ByteRegion,
    path: () -> String,
    options: InputOptions,
    spool: inout Spool
  ) throws(RelabelError) -> FoundMaps {
    let usual = options.isBackgroundFirst ? Self.classes - 1 : Self.classes
    let maps = Maps(
      topK: options.topK,
      classes: options.numClasses ?? usual,
      isBackgroundFirst: options.isBackgroundFirst,
      isNamed: options.dialect != nil
    )
    return FoundMaps(maps, region)
  }

  /// What all files of torch share.
  struct Maps: MapDescription {
    /// Classes to keep; nil for all.
    let topK: Int?
    /// Classes of the annotator, as the user or else the convention says.
    let classes: Int
    /// True where class 0 of the file is the background.
    let isBackgroundFirst: Bool
    /// True where the user has named the dialect, so that no other is looked for.
    let isNamed: Bool

    // What such a file holds is only a convention that the user may overrule.
    var traits: MapTraits {
      MapTraits(
        scoreKind: .logit,
        isConvention: true,
        usualClasses: isBackgroundFirst ? ReLabelTensor.classes - 1 : ReLabelTensor.classes,
        dialect: "ReLabel tensor",
        isReLabelDialect: true
      )
    }

    func load(
      _ region: ByteRegion,
      wantsDense: Bool,
      path: () -> String
    ) throws(RelabelError) -> LoadedMap {
      let bytes = try region.read(limit: Limits.memberBytes, path: path())
      let map = try decode(bytes)
      let foreground = isBackgroundFirst ? try SparseMap.withoutBackground(map) : map
      return LoadedMap(try SparseMap.keepingBest(topK, of: foreground))
    }

    private func decode(_ bytes: [UInt8]) throws(RelabelError) -> LabelMap {
      let classes = isBackgroundFirst ? classes + 1 : classes
      // A .npy that was called .pt.
      if !isNamed, NumPyHeader.begins(bytes) {
        return try PASSLArray.decode(bytes, classes: classes)
      }
      return try ReLabelTensor.decode(bytes, classes: classes)
    }
  }

  /// Decodes a file that `torch.save` wrote; `classes` is nil if their number is not known.
  static func decode(_ file: [UInt8], classes: Int? = nil) throws(RelabelError) -> LabelMap {
    switch try TorchFile.read(file) {
    case .stacked(let torch):
      let sizes = torch.tensor.sizes
      guard sizes.count == 4, sizes[0] == 2 else {
        throw RelabelError(
          .invalidInput,
          "the tensor's shape is \(sizes); a map is [2, k, H, W] of scores and class ids"
        )
      }
      return try StridedMap.sparse(plane(0, of: torch), plane(1, of: torch), classes)
    case .pair(let scores, let ids):
      let map = try StridedMap.sparse(whole(scores), whole(ids), classes)
      try checkOrder(map)
      return map
    }
  }

  private static func plane(_ plane: Int, of torch: StoredTensor) -> StridedPlane {
    let tensor = torch.tensor
    return StridedPlane(
      scalar: tensor.storage.scalar,
      bytes: torch.bytes,
      start: torch.start,
      first: tensor.offset + plane * tensor.strides[0],
      sizes: Array(tensor.sizes[1...]),
      strides: Array(tensor.strides[1...])
    )
  }

  /// All of a tensor [k, H, W] or [1, k, H, W].
  private static func whole(_ torch: StoredTensor) throws(RelabelError) -> StridedPlane {
    let tensor = torch.tensor
    let isBatch = tensor.sizes.count == 4 && tensor.sizes[0] == 1
    guard tensor.sizes.count == 3 || isBatch else {
      throw RelabelError(
        .invalidInput,
        "a tensor's shape is \(tensor.sizes); scores and class ids are [k, H, W] each, one map a file"
      )
    }
    return StridedPlane(
      scalar: tensor.storage.scalar,
      bytes: torch.bytes,
      start: torch.start,
      first: tensor.offset,
      sizes: Array(tensor.sizes.suffix(3)),
      strides: Array(tensor.strides.suffix(3))
    )
  }

  /// Refuses scores whose last axis is k: `topk` sorts along it, so they fall along it.
  private static func checkOrder(_ map: LabelMap) throws(RelabelError) {
    let shape = map.shape
    func falls(_ count: Int, _ step: Int, _ starts: some Sequence<Int>) -> Bool {
      starts.allSatisfy { start in
        (1..<max(count, 1)).allSatisfy {
          !(map.score[start + $0 * step] > map.score[start + ($0 - 1) * step])
        }
      }
    }
    let cells = (0..<shape.cells).lazy.map { $0 * shape.topK }
    if shape.topK > 1, falls(shape.topK, 1, cells) { return }
    let rows = (0..<shape.height * shape.topK).lazy.map {
      $0 / shape.topK * shape.width * shape.topK + $0 % shape.topK
    }
    let fallsAlongRows = shape.width > 1 && falls(shape.width, shape.topK, rows)
    if shape.topK == 1 && !fallsAlongRows { return }
    throw RelabelError(
      .invalidInput,
      "the scores [\(shape.topK), \(shape.height), \(shape.width)] do not fall along the first axis, as those"
        + " of topk over it do: if the classes lie along another, permute to [k, H, W] first; to say which is"
        + " which, \(TorchMend.oneTensor)"
    )
  }
}
