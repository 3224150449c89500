// SPDX-License-Identifier: Apache-2.0
package io.tailrace.codec;

import static io.tailrace.codec.Codecs.composed;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.MonthDay;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.Period;
import java.time.Year;
import java.time.YearMonth;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.LinkedHashMap;
import java.util.Map;

/** The codecs of {@code java.time}: each a record of numbers and, for a zone, its id. */
final class Times {

    static final Codec<Instant> INSTANT = composed(
            "Instant",
            (value, out) -> {
                out.wire.writeLong(value.getEpochSecond());
                out.wire.writeInt(value.getNano());
            },
            in -> Instant.ofEpochSecond(in.wire.readLong(), nanos(in)),
            "seconds",
            Kind.LONG,
            "nanos",
            Kind.INT);

    static final Codec<Duration> DURATION = composed(
            "Duration",
            (value, out) -> {
                out.wire.writeLong(value.getSeconds());
                out.wire.writeInt(value.getNano());
            },
            in -> Duration.ofSeconds(in.wire.readLong(), nanos(in)),
            "seconds",
            Kind.LONG,
            "nanos",
            Kind.INT);

    static final Codec<LocalDate> LOCAL_DATE = composed(
            "LocalDate",
            (value, out) -> out.wire.writeLong(value.toEpochDay()),
            in -> LocalDate.ofEpochDay(in.wire.readLong()),
            "epochDay",
            Kind.LONG);

    static final Codec<LocalTime> LOCAL_TIME = composed(
            "LocalTime",
            (value, out) -> out.wire.writeLong(value.toNanoOfDay()),
            in -> LocalTime.ofNanoOfDay(in.wire.readLong()),
            "nanoOfDay",
            Kind.LONG);

    static final Codec<LocalDateTime> LOCAL_DATE_TIME = composed(
            "LocalDateTime", Times::writeDateTime, Times::readDateTime, "epochDay", Kind.LONG, "nanoOfDay", Kind.LONG);

    static final Codec<OffsetDateTime> OFFSET_DATE_TIME = composed(
            "OffsetDateTime",
            (value, out) -> {
                writeDateTime(value.toLocalDateTime(), out);
                out.wire.writeInt(value.getOffset().getTotalSeconds());
            },
            in -> OffsetDateTime.of(readDateTime(in), ZoneOffset.ofTotalSeconds(in.wire.readInt())),
            "epochDay",
            Kind.LONG,
            "nanoOfDay",
            Kind.LONG,
            "offsetSeconds",
            Kind.INT);

    /** The offset besides the zone, because an hour may come twice. */
    static final Codec<ZonedDateTime> ZONED_DATE_TIME = composed(
            "ZonedDateTime",
            (value, out) -> {
                writeDateTime(value.toLocalDateTime(), out);
                out.wire.writeInt(value.getOffset().getTotalSeconds());
                Text.write(value.getZone().getId(), out);
            },
            in -> {
                LocalDateTime at = readDateTime(in);
                ZoneOffset offset = ZoneOffset.ofTotalSeconds(in.wire.readInt());
                return ZonedDateTime.ofInstant(at, offset, ZoneId.of(Text.read(in)));
            },
            "epochDay",
            Kind.LONG,
            "nanoOfDay",
            Kind.LONG,
            "offsetSeconds",
            Kind.INT,
            "zone",
            Kind.TEXT);

    static final Codec<Period> PERIOD = composed(
            "Period",
            (value, out) -> {
                out.wire.writeInt(value.getYears());
                out.wire.writeInt(value.getMonths());
                out.wire.writeInt(value.getDays());
            },
            in -> Period.of(in.wire.readInt(), in.wire.readInt(), in.wire.readInt()),
            "years",
            Kind.INT,
            "months",
            Kind.INT,
            "days",
            Kind.INT);

    static final Codec<Year> YEAR = composed(
            "Year",
            (value, out) -> out.wire.writeInt(value.getValue()),
            in -> Year.of(in.wire.readInt()),
            "year",
            Kind.INT);

    static final Codec<YearMonth> YEAR_MONTH = composed(
            "YearMonth",
            (value, out) -> {
                out.wire.writeInt(value.getYear());
                out.wire.writeInt(value.getMonthValue());
            },
            in -> YearMonth.of(in.wire.readInt(), in.wire.readInt()),
            "year",
            Kind.INT,
            "month",
            Kind.INT);

    static final Codec<OffsetTime> OFFSET_TIME = composed(
            "OffsetTime",
            (value, out) -> {
                out.wire.writeLong(value.toLocalTime().toNanoOfDay());
                out.wire.writeInt(value.getOffset().getTotalSeconds());
            },
            in -> OffsetTime.of(
                    LocalTime.ofNanoOfDay(in.wire.readLong()), ZoneOffset.ofTotalSeconds(in.wire.readInt())),
            "nanoOfDay",
            Kind.LONG,
            "offsetSeconds",
            Kind.INT);

    static final Codec<MonthDay> MONTH_DAY = composed(
            "MonthDay",
            (value, out) -> {
                out.wire.writeInt(value.getMonthValue());
                out.wire.writeInt(value.getDayOfMonth());
            },
            in -> MonthDay.of(in.wire.readInt(), in.wire.readInt()),
            "month",
            Kind.INT,
            "day",
            Kind.INT);

    static final Codec<ZoneId> ZONE_ID = composed(
            "ZoneId", (value, out) -> Text.write(value.getId(), out), in -> ZoneId.of(Text.read(in)), "id", Kind.TEXT);

    static final Codec<ZoneOffset> ZONE_OFFSET = composed(
            "ZoneOffset",
            (value, out) -> out.wire.writeInt(value.getTotalSeconds()),
            in -> ZoneOffset.ofTotalSeconds(in.wire.readInt()),
            "seconds",
            Kind.INT);

    private Times() {}

    static Map<Class<?>, Codec<?>> all() {
        Map<Class<?>, Codec<?>> all = new LinkedHashMap<>();
        all.put(Instant.class, INSTANT);
        all.put(Duration.class, DURATION);
        all.put(LocalDate.class, LOCAL_DATE);
        all.put(LocalTime.class, LOCAL_TIME);
        all.put(LocalDateTime.class, LOCAL_DATE_TIME);
        all.put(OffsetDateTime.class, OFFSET_DATE_TIME);
        all.put(ZonedDateTime.class, ZONED_DATE_TIME);
        all.put(Period.class, PERIOD);
        all.put(Year.class, YEAR);
        all.put(YearMonth.class, YEAR_MONTH);
        all.put(OffsetTime.class, OFFSET_TIME);
        all.put(MonthDay.class, MONTH_DAY);
        all.put(ZoneId.class, ZONE_ID);
        all.put(ZoneOffset.class, ZONE_OFFSET);
        return all;
    }

    private static void writeDateTime(LocalDateTime value, Out out) throws java.io.IOException {
        out.wire.writeLong(value.toLocalDate().toEpochDay());
        out.wire.writeLong(value.toLocalTime().toNanoOfDay());
    }

    /** The JDK would carry what is too much. */
    private static int nanos(In in) throws java.io.IOException {
        long at = in.wire.position();
        int nanos = in.wire.readInt();
        if (nanos < 0 || nanos > 999_999_999) {
            throw Misfit.malformed("nanos of value " + nanos, at);
        }
        return nanos;
    }

    private static LocalDateTime readDateTime(In in) throws java.io.IOException {
        return LocalDateTime.of(LocalDate.ofEpochDay(in.wire.readLong()), LocalTime.ofNanoOfDay(in.wire.readLong()));
    }
}
