/// The first questionnaire from which scripts were made.
///
/// Published: it never changes.
let storyV1 = #"""
    {
      "name": "story",
      "version": 1,
      "title": "Your story",
      "questions": [
        {"id": "hero", "type": "text", "title": "What is the hero called?", "required": true,
         "maxLength": 60},
        {"id": "age", "type": "number", "title": "How old is the hero?", "required": true,
         "whole": true, "min": 1, "max": 120},
        {"id": "place", "type": "text", "title": "Where does it happen?", "required": true, "maxLength": 80},
        {"id": "companion", "type": "text", "title": "Who goes along?", "maxLength": 60},
        {"id": "wish", "type": "longtext", "title": "What does the hero want most?", "required": true,
         "minLength": 3, "maxLength": 600},
        {"id": "genre", "type": "single", "title": "What kind of story?",
         "choices": ["adventure", "mystery", "comedy", "fairy tale", "science fiction"]}
      ]
    }
    """#
