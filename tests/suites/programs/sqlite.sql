-- SPDX-License-Identifier: GPL-2.0-or-later
create table t(n integer primary key, s text, r real);
with recursive c(n) as (select 1 union all select n + 1 from c where n < 20000)
    insert into t select n, printf('%05d', n * 7919 % 20000), n / 3.0 from c;
create index ti on t(s);
pragma integrity_check;
select count(*), sum(n), min(n), max(n) from t;
select count(*) from t where n % 7 = 0;
select count(distinct s) from t;
