/// The definitions that come with the function.
///
/// Each is a JSON document in a file of its own: a resource of the package would need Foundation to be found.
let shippedDefinitions = [storyV1, storyV2, personaV1]
