import Relabel

/// `.safetensors` files: tensors of all images under known names, or tensors of each image under its name.
///
/// Facts: the format of huggingface/safetensors: 8 bytes with the length of a JSON header, the header with type,
/// shape and place of each tensor, then the tensors, little-endian, in C order. Known names: `score` and
/// `class_index` [N, H, W, k], `logits`, `probabilities` or `log_probabilities` [N, C, H, W], and `keys` [N, L] of
/// uint8 (UTF-8, zeros behind each), as `relabel export --to safetensors` writes them. Any other name is an image:
/// `KEY` is dense [C, H, W], `KEY/score` and `KEY/class_index` are [H, W, k].
struct Safetensors: Dialect {
  let name = "safetensors"
  let word = "safetensors"
  let extensions = [".safetensors"]

  func evidence(in head: [UInt8]) -> String? {
    guard head.count > 10, head[8] == UInt8(ascii: "{"), head[9] == UInt8(ascii: "\"") else {
      return nil
    }
    return "a safetensors header"
  }

  func list(
    _ region: ByteRegion,
    path: () -> String,
    options: InputOptions,
    spool: inout Spool
  ) throws(RelabelError) -> FoundMaps {
    let path = path()
    let header = try SafetensorsHeader(region, path: path)
    var tensors = header.tensors
    var keys: StoredKeys?
    if let stored = tensors.removeValue(forKey: "keys") {
      guard stored.scalar == .uint8, stored.shape.count == 2 else {
        throw RelabelError(
          .invalidInput,
          "the tensor 'keys' is \(stored.shape) of \(stored.scalar.typeName); keys are [N, L] of uint8, UTF-8"
        )
      }
      keys = try StoredKeys(
        count: stored.shape[0],
        width: stored.shape[1],
        region.slice(stored.start, stored.bytes),
        path: path
      )
    }
    guard let group = try TensorGroup(named: "", in: tensors), group.count == tensors.count else {
      if keys != nil {
        throw RelabelError(
          .invalidInput,
          "the file has keys, but not score and class_index, or logits or probabilities, alone: it has"
            + " \(tensors.keys.sorted().prefix(4).joined(separator: ", "))"
        )
      }
      return try Self.images(of: tensors, region, path, options)
    }
    let maps = try group.maps(options, from: 0)
    if let keys, keys.count != maps.rows ?? 1 {
      throw RelabelError(
        .invalidInput,
        "the file has \(keys.count) keys for \(maps.rows ?? 1) maps"
      )
    }
    if let keys, maps.rows == nil {
      let file = region.slice(0, region.count, path: path)
      return FoundMaps(.keys(keys), count: 1) { _ in .map(SingleArrayMap(maps: maps), file) }
    }
    return maps.found(in: region, path: path, names: keys.map { .keys($0) })
  }

  /// Tensors of one image each.
  private static func images(
    of tensors: [String: SafetensorsHeader.Tensor],
    _ region: ByteRegion,
    _ path: String,
    _ options: InputOptions
  ) throws(RelabelError) -> FoundMaps {
    var groups: [String: [String: SafetensorsHeader.Tensor]] = [:]
    for (name, tensor) in tensors {
      let parts = ArrayRoles.parts(of: name)
      groups[parts.key, default: [:]][parts.role] = tensor
    }
    guard !groups.isEmpty else { throw RelabelError(.invalidInput, "the file holds no tensor") }
    let names = groups.keys.sorted()
    var payloads: [Payload] = []
    for name in names {
      let members = groups[name] ?? [:]
      do throws(RelabelError) {
        guard let group = try TensorGroup(named: name, in: members), group.count == members.count
        else {
          throw RelabelError(
            .invalidInput,
            "the image has the tensors \(members.keys.sorted().joined(separator: ", ")); it needs one of all"
              + " classes, or score and class_index"
          )
        }
        // Measured from the first tensor of the image, so that images of one shape share their description.
        let base = group.start
        let maps = try group.maps(options, from: base)
        guard maps.rows == nil else {
          throw RelabelError(.invalidInput, "the tensor of one image has an axis of images")
        }
        payloads.append(
          .map(SingleArrayMap(maps: maps), region.slice(base, region.count - base, path: path))
        )
      } catch {
        if error.code == .usage { throw error }
        payloads.append(.failure(error.located(Location(dataset: name))))
      }
    }
    let found = payloads
    let keys = names.map { ImageKey.strippingExtension($0) }
    return FoundMaps(.keys(HeldKeys(keys: keys)), count: keys.count) { found[$0] }
  }
}

/// Tensors that make maps together.
struct TensorGroup {
  private enum Members {
    case dense(SafetensorsHeader.Tensor, ScoreKind?)
    case sparse(scores: SafetensorsHeader.Tensor, ids: SafetensorsHeader.Tensor)
  }

  private let members: Members

  /// How many tensors they are.
  var count: Int { if case .dense = members { 1 } else { 2 } }

  /// Bytes before the first of them.
  var start: Int {
    switch members {
    case .dense(let tensor, _): tensor.start
    case .sparse(let scores, let ids): min(scores.start, ids.start)
    }
  }

  /// The group among tensors by their roles; nil when there is none.
  init?(
    named name: String,
    in tensors: [String: SafetensorsHeader.Tensor]
  ) throws(RelabelError) {
    func one(of words: [String]) -> SafetensorsHeader.Tensor? {
      words.lazy.compactMap { tensors[$0] }.first
    }
    if let scores = one(of: ArrayRoles.scores), let ids = one(of: ArrayRoles.ids) {
      members = .sparse(scores: scores, ids: ids)
    } else if let (word, tensor) = tensors.first(where: { ArrayRoles.dense[$0.key] != nil }) {
      members = .dense(tensor, ArrayRoles.dense[word])
    } else if !name.isEmpty, let tensor = tensors[""] {
      members = .dense(tensor, nil)
    } else {
      return nil
    }
  }

  /// The maps; places in the file are measured from `base`.
  func maps(_ options: InputOptions, from base: Int) throws(RelabelError) -> ArrayMaps {
    switch members {
    case .dense(let tensor, let kind):
      let axes =
        if let axes = options.axes { axes } else { try ArrayAxes.dense(tensor.shape, options) }
      var maps = try ArrayMaps.dense("safetensors", tensor.form(axes, from: base), options)
      maps.scoreKind = kind
      maps.evidence = "a tensor \(tensor.shape) of \(tensor.scalar.typeName), axes \(axes.text)"
      return maps
    case .sparse(let scores, let ids):
      let axes = if let axes = options.axes { axes } else { try ArrayAxes.sparse(scores.shape) }
      var maps = try ArrayMaps.sparse(
        "safetensors",
        scores: scores.form(axes, from: base),
        ids: ids.form(axes, from: base),
        options
      )
      maps.order = "the tensor of class ids does not hold them"
      maps.evidence =
        "tensors of scores \(scores.shape) and class ids of \(ids.scalar.typeName), axes \(axes.text)"
      return maps
    }
  }
}
