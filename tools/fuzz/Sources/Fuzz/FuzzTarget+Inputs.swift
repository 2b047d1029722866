@testable import AnnotatorOutputs
import Relabel

extension FuzzTarget {
  /// A pickle alone, which in a file lies behind checksums.
  static let pickle = FuzzTarget { bytes in
    guard let (value, _) = try? TorchPickle.read(bytes) else { return }
    guard let contents = try? value.contents() else { return }
    _ = try? contents.map { tensor throws(RelabelError) in
      try StoredTensor(tensor: tensor, bytes: bytes, start: 0)
    }
  }

  /// A file as `relabel-pack` gets it: its images are listed and loaded.
  static func file(
    _ name: String,
    axes: String? = nil,
    numClasses: Int? = nil
  ) -> FuzzTarget {
    let file = ScratchFile(named: name)
    var options = InputOptions(topK: numClasses == nil ? 2 : nil, spoolDirectory: "/dev/shm")
    options.numClasses = numClasses
    options.classesAre = .independent
    options.axes = axes.flatMap { try? ArrayAxes($0) }
    precondition((options.axes == nil) == (axes == nil), "the axes of a target are wrong")
    // For lists of classes without names.
    if name.hasSuffix(".json") { options.imageList = ["a", "b", "c"] }
    return FuzzTarget { [options] bytes in
      file.replace(bytes)
      guard let output = try? AnnotatorOutput.open([file.path], options: options) else { return }
      switch output.images {
      case .listed(let images): for image in (try? images.all()) ?? [] { load(image) }
      case .arriving(let stream):
        while let image = try? stream.next() { load(image) }
        _ = stream.unmatchedListLines
      }
    }
  }

  private static func load(_ image: PendingImage) {
    guard let map = try? image.load() else { return }
    let entries = map.shape.entries
    precondition(map.classIndex.count == entries && map.score.count == entries)
  }
}
