/// What somebody tells about a persona that is to be drawn and to speak.
let personaV1 = #"""
    {
      "name": "persona",
      "version": 1,
      "title": "A persona",
      "questions": [
        {"id": "name", "type": "text", "title": "What is the persona called?", "required": true,
         "minLength": 2, "maxLength": 40, "pattern": "[\\l\\d][\\l\\d\\s'-]*"},
        {"id": "looks", "type": "longtext", "title": "What does the persona look like?", "required": true,
         "maxLength": 1000},
        {"id": "tone", "type": "single", "title": "How does the persona speak?", "required": true,
         "choices": ["warm", "playful", "serious", "bold", "calm"]},
        {"id": "interests", "type": "multi", "title": "What is the persona interested in?", "maxChoices": 5,
         "other": true, "choices": ["music", "sport", "science", "nature", "art", "food", "travel"]},
        {"id": "has_motto", "type": "boolean", "title": "Does the persona have a motto?"},
        {"id": "motto", "type": "text", "title": "Which?", "required": true, "maxLength": 80,
         "visibleIf": {"question": "has_motto", "equals": true}}
      ]
    }
    """#
