-- SQLite: inserts, an index, joins, aggregates, text functions.
create table t(id integer primary key, a integer, b text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 300000)
insert into t select i, (i * 7919) % 100003, printf('row %d of %x', i, i * 31) from n;
create index ta on t(a);
select count(*), sum(a), max(b) from t where b like '%ff%';
select sum(x.a * y.id) from t x join t y on x.a = y.id where x.id % 3 = 0;
select a % 100 as g, count(*), avg(id), group_concat(substr(b, 5, 2)) from t
    where id < 5000 group by g order by g limit 5;
update t set b = upper(b) || length(b) where id % 2 = 0;
select count(distinct substr(b, 1, 7)), sum(length(replace(b, 'ROW', 'LINES'))) from t;
with recursive f(n, x, y) as (select 1, 0, 1 union all select n + 1, y, (x + y) % 1000007 from f
    where n < 700000) select sum(x) from f;
