import Relabel

/// The dialect of kecam (leondgarse/keras_cv_attention_models): one pickled array of all images, or a dictionary.
///
/// Facts: keras_cv_attention_models/imagenet/token_label.py at 687943d. The array is [N, 2, H, W, k]: plane 0 holds
/// the class ids and plane 1 the probabilities, both float, the opposite of ReLabel. Probabilities are those of a
/// softmax over all classes, cut to the best k and not made to sum to 1. The order of images is that of the dataset:
/// the file has no names, so `--images` gives them. A dictionary {name: [2, H, W, k]} is read, too.
///
/// The pickle is not executed: NumPy's few names are known, and everything else is refused.
struct PickledMaps: Dialect {
  let name = "kecam pickle"
  let word = "kecam"
  let extensions: [String] = []
  let endingsOfInputs = [".pkl", ".pickle"]

  func evidence(in head: [UInt8]) -> String? {
    // Protocol 2 to 5, and NumPy's name near the front; torch.save begins with its own number.
    guard head.count > 16, head[0] == 0x80, (2...5).contains(head[1]) else { return nil }
    let text = String(decoding: head, as: UTF8.self)
    let calls = ["multiarray", "_frombuffer"]
    return text.contains("numpy") && calls.contains(where: text.contains)
      ? "a pickle of NumPy arrays" : nil
  }

  func list(
    _ region: ByteRegion,
    path: () -> String,
    options: InputOptions,
    spool: inout Spool
  ) throws(RelabelError) -> FoundMaps {
    let path = path()
    let start = try region.slice(0, min(region.count, 64)).read(limit: 64, path: path)
    guard start.first == 0x80 else {
      if GitLFSPointer.begins(start) { throw RelabelError(.invalidInput, GitLFSPointer.fault) }
      throw RelabelError(.invalidInput, "this is not a pickle of protocol 2 to 5; \(Self.expected)")
    }
    let skeleton = try PickleSkeleton.read(region, path: path)
    let (value, end) = try TorchPickle.read(skeleton, .spannedArrays)
    guard end == skeleton.count else {
      throw RelabelError(.invalidInput, "trailing bytes follow the pickle")
    }
    switch value {
    case .array(let array):
      let axes = options.axes ?? ArrayAxes([.n, .p, .y, .x, .k])
      let (maps, file) = try Self.maps(array, axes, region, options)
      return maps.found(in: file, path: path)
    case .dictionary(let items):
      return try Self.named(items, region, path, options)
    default:
      throw RelabelError(.invalidInput, "the pickle holds something else; \(Self.expected)")
    }
  }

  private static let expected =
    "a kecam file is one pickled array [N, 2, H, W, k] of class ids and probabilities, or a dictionary"
    + " {name: [2, H, W, k]}"

  private static func named(
    _ items: [PickleValue],
    _ region: ByteRegion,
    _ path: String,
    _ options: InputOptions
  ) throws(RelabelError) -> FoundMaps {
    var keys: [String] = []
    var payloads: [Payload] = []
    let axes = options.axes ?? ArrayAxes([.p, .y, .x, .k])
    for place in stride(from: 0, to: items.count, by: 2) {
      guard case .string(let name) = items[place], case .array(let array) = items[place + 1] else {
        throw RelabelError(
          .invalidInput,
          "member \(place / 2) of the dictionary is not an array under a name; \(expected)"
        )
      }
      keys.append(ImageKey.strippingExtension(name))
      do throws(RelabelError) {
        let (maps, file) = try maps(array, axes, region, options)
        guard maps.rows == nil else {
          throw RelabelError(.invalidInput, "axis n of '\(axes.text)' is not there for one image")
        }
        let own = file.slice(0, file.count, path: path)
        payloads.append(.map(SingleArrayMap(maps: maps), own))
      } catch {
        if error.code == .usage { throw error }
        payloads.append(.failure(error))
      }
    }
    guard !keys.isEmpty else { throw RelabelError(.invalidInput, "the dictionary is empty") }
    let found = payloads
    return FoundMaps(.keys(HeldKeys(keys: keys)), count: keys.count) { found[$0] }
  }

  /// The maps of an array, and the bytes that they lie in.
  private static func maps(
    _ array: PickledArray,
    _ axes: ArrayAxes,
    _ region: ByteRegion,
    _ options: InputOptions
  ) throws(RelabelError) -> (ArrayMaps, ByteRegion) {
    guard axes.axes.contains(.p) else {
      throw RelabelError(
        .usage,
        "--axes '\(axes.text)' has no p: kecam arrays have a plane of class ids and one of probabilities"
      )
    }
    guard let scalar = TorchScalar(array.type.scalar) else {
      throw RelabelError(.invalidInput, "the array holds text; \(expected)")
    }
    let file: ByteRegion
    switch array.data {
    case .span(let offset, let count): file = region.slice(offset, count)
    case .bytes(let bytes):
      file = ByteRegion(storage: .memory(bytes), offset: 0, count: bytes.count)
    }
    guard array.shape.count == axes.axes.count else {
      throw RelabelError(.invalidInput, "the array's shape is \(array.shape); \(expected)")
    }
    func form(_ plane: Int) throws(RelabelError) -> PlaneForm {
      try PlaneForm(
        scalar,
        start: 0,
        shape: array.shape,
        strides: array.strides,
        axes: axes,
        plane: plane
      )
    }
    var maps = try ArrayMaps.sparse("kecam pickle", scores: form(1), ids: form(0), options)
    (maps.scoreKind, maps.isConvention) = (.probability, true)
    maps.order = "plane 0 of the array holds the class ids, plane 1 the probabilities"
    maps.evidence = "a pickle of an array \(array.shape) of \(scalar.typeName), plane 0 class ids"
    return (maps, file)
  }
}
