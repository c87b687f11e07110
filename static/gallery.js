// An attendee's gallery beside the full view: answers, choosing, the personal link, and what is new.

import "./answering.js";
import "./choosing.js";
import "./personal.js";
import "./fresh.js";
