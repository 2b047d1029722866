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
    "axes": .file("input.npy", axes: "n p x y k"),
    "kecam": .file("input.pkl", numClasses: 30),
    "safetensors": .file("input.safetensors", numClasses: 30),
    "labels": .file("input.csv", numClasses: 30),
    "tsv": .file("input.tsv", numClasses: 30),
    "sets": .file("input.json", numClasses: 30),
    "structure": .structure,
    "chunk": .chunk,
    "messages": .messages,
    "images": .images,
    "survey": .survey,
    "boxes": .boxes,
    "picture": .picture,
  ]
}
