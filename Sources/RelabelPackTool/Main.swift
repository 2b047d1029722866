import ArgumentParser
import RelabelCommands

/// The entry point of `relabel-pack`.
@main
enum Main {
  static func main() {
    Program.run(PackTool.self)
  }
}
