/// A part of the library that takes bytes from strangers.
struct FuzzTarget: Sendable {
  /// Takes any bytes; whatever they are, it returns, or the library has a fault.
  let run: @Sendable ([UInt8]) -> Void

  init(_ run: @escaping @Sendable ([UInt8]) -> Void) { self.run = run }

  static let all: [String: FuzzTarget] = [
    "json": .json,
    "index": .index,
    "metadata": .metadata,
    "pickle": .pickle,
    "torch": .file("input.pt"),
    "npy": .file("input.npy"),
    "npz": .file("input.npz"),
    "tar": .file("input.tar"),
    "views": .views,
    "structure": .structure,
    "chunk": .chunk,
    "messages": .messages,
    "images": .images,
    "survey": .survey,
    "boxes": .boxes,
    "picture": .picture,
  ]
}
