import AnnotatorOutputs
import Testing

@Suite("Registry of dialects")
struct DialectTests {
  @Test func namesAndExtensionsAreUnique() {
    let names = Dialects.all.map(\.name)
    let extensions = Dialects.all.flatMap(\.extensions)
    #expect(
      extensions == [
        ".pt", ".pth", ".th", ".torch", ".npy", ".npz", ".safetensors", ".h5",
        ".hdf5",
      ]
    )
    let words = Dialects.all.map(\.word)
    #expect(Set(words).count == words.count)
    #expect(words.allSatisfy { $0.allSatisfy { $0.isLowercase || $0 == "-" } })
    #expect(Set(names).count == names.count)
    #expect(Set(extensions).count == extensions.count)
    // Recognised by the end of a path, so none may be the end of another.
    for one in extensions {
      #expect(one.hasPrefix(".") && one.count > 1)
      #expect(extensions.filter { $0.hasSuffix(one) } == [one])
    }
  }
}
