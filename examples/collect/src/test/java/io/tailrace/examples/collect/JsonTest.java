// SPDX-License-Identifier: Apache-2.0
package io.tailrace.examples.collect;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class JsonTest {

    @Test
    void everyKindOfValueIsWritten() {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("text", "a \"b\" \\ \n\u00e9");
        members.put("number", 6_001_215L);
        members.put("fraction", 0.25);
        members.put("known", true);
        members.put("unknown", null);
        members.put("list", List.of("x", 1));
        members.put("empty", List.of());
        members.put("inner", Map.of("k", "v"));

        assertEquals("""
                {
                  "text": "a \\"b\\" \\\\ \\u000a\u00e9",
                  "number": 6001215,
                  "fraction": 0.25,
                  "known": true,
                  "unknown": null,
                  "list": [
                    "x",
                    1
                  ],
                  "empty": [],
                  "inner": {
                    "k": "v"
                  }
                }
                """, Json.of(members));
    }
}
